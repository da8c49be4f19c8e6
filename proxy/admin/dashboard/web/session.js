// The logged-in user. The session itself is a cookie that no script can read.
export const session = { role: null, org: null, csrf: null };

export function setSession(answer) {
  Object.assign(session, { role: null, org: null, csrf: null }, answer);
}

export const isAdmin = () => session.role === 'admin';
