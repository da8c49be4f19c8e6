// Addresses of pages.
export const orgAddress = (org, page = '', query = {}) => {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  const search = given.length ? `?${new URLSearchParams(given)}` : '';
  return `#/org/${encodeURIComponent(org)}${page && '/' + page}${search}`;
};
