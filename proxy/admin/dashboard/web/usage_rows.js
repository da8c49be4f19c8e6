// Usage of a selection: the API filters, groups and adds up.
import { api } from './api.js';

const page_rows = 10_000;

// All rows, page by page. `filters`: { agent, conversation }; undefined does not filter, "" selects
// usage without a name.
export async function usageRows(org, range, group_by, filters) {
  const asked = { ...range, group_by: group_by.join(','), limit: page_rows, ...filters };
  const rows = [];
  for (let after; ;) {
    const page = await api.usage(org, { ...asked, after });
    rows.push(...page.rows);
    if (!page.has_more) return { rows, total: page.total };
    after = page.next_after;
  }
}
