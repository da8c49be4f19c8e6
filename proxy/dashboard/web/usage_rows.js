// Usage of a selection. A server that can filter does; of another the groups are asked for, and
// filtered here.
import { api } from './api.js';
import { sum } from './format.js';
import { session } from './session.js';

// Rows that agree in `start` (when asked for) and in the dimensions, added up.
export function grouped(rows, dimensions, withStart = false) {
  const sums = new Map();
  for (const row of rows) {
    const key = JSON.stringify([withStart ? row.start : '', ...dimensions.map((name) => row[name])]);
    const found = sums.get(key);
    if (!found) {
      sums.set(key, {
        start: row.start,
        ...Object.fromEntries(dimensions.map((name) => [name, row[name]])),
        credits: row.credits,
        calls: Number(row.calls),
      });
    } else {
      found.credits = sum([found.credits, row.credits]);
      found.calls += Number(row.calls);
    }
  }
  return [...sums.values()];
}

// `filters`: { agent, conversation }; undefined does not filter, "" means those that have none.
export async function usageRows(org, range, group_by, filters) {
  const wanted = Object.entries(filters).filter(([, value]) => value !== undefined);
  const byServer = session.features.usage_filters && wanted.every(([, value]) => value !== '');
  const dimensions = byServer ? group_by : [...new Set([...group_by, ...wanted.map(([name]) => name)])];
  const answer = await api.usage(org, {
    ...range,
    group_by: dimensions.join(','),
    ...(byServer ? Object.fromEntries(wanted) : {}),
  });
  const rows = byServer
    ? answer.rows
    : answer.rows.filter((row) => wanted.every(([name, value]) => (row[name] ?? '') === value));
  return grouped(rows, group_by, true);
}
