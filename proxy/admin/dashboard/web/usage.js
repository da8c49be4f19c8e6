// Usage by day, by agent, by an agent's conversations, by action or by model.
import { chart, figures, seriesColour } from './charts.js';
import { api } from './api.js';
import { download } from './download.js';
import { emptyState, errorBox, field, h, section, select, sortableTable, table } from './dom.js';
import { count, credits, day, micro, percent, shortDay, sum } from './format.js';
import { orgAddress } from './address.js';
import { usageRows } from './usage_rows.js';

const periods = [
  ['cycle', 'This cycle'],
  ['1', 'Last 24 hours'],
  ['7', 'Last 7 days'],
  ['30', 'Last 30 days'],
  ['365', 'Last year'],
];
const most_series = 7; // the rest is "others"

export async function usagePage(place, context) {
  const { org, query, signal } = context;
  const chosen = {
    agent: query.get('agent') ?? undefined,
    conversation: query.get('conversation') ?? undefined,
  };
  const period = query.get('period') ?? 'cycle',
    by = query.get('by') ?? 'model';
  const go = (change) => {
    location.hash = orgAddress(org, 'usage', { period, by, ...chosen, ...change });
  };
  const range = await rangeOf(org, period);
  const ask = (group_by, granularity) => usageRows(org, { ...range, granularity }, group_by, chosen);
  const inner =
    chosen.conversation !== undefined ? 'key' : chosen.agent !== undefined ? 'conversation' : 'agent';
  const [daily, ranked, breakdown] = await Promise.all([
    ask([by], period === '1' ? 'hour' : 'day'),
    ask([by], 'total'),
    ask([inner], 'total'),
  ]);
  if (signal.aborted) return;
  const message = h('div');
  place.replaceChildren(
    trail(org, { period, by }, chosen),
    h(
      'div',
      { class: 'toolbar' },
      field(
        'Period',
        select(periods, period, (value) => go({ period: value })),
      ),
      field(
        'Colour by',
        select(
          [
            ['model', 'Model'],
            ['action', 'Action'],
            ['route', 'Route'],
          ],
          by,
          (value) => go({ by: value }),
        ),
      ),
      exportButton(org, range, chosen, message),
    ),
    message,
    daily.rows.length === 0
      ? emptyState(
          'Nothing was used in this time.',
          'Choose a longer period, or make a call with one of the organization’s keys.',
        )
      : h(
          'div',
          { class: 'page' },
          dailySection(daily, ranked.rows, { by, hourly: period === '1', signal }),
          h(
            'div',
            { class: 'two' },
            innerSection(org, inner, breakdown, { period, by }, chosen),
            section(
              `By ${by}`,
              shares(by, ranked, (row) => row[by] ?? 'none'),
            ),
          ),
        ),
  );
}

// The API's own CSV.
function exportButton(org, range, chosen, message) {
  const run = async () => {
    message.replaceChildren();
    try {
      const { text } = await api.usageCsv(org, {
        ...range,
        granularity: 'day',
        group_by: 'action,model,agent',
        ...chosen,
      });
      download(`${org}-usage.csv`, [text]);
    } catch (error) {
      message.replaceChildren(errorBox(error));
    }
  };
  return h('button', { type: 'button', onclick: run }, 'Export as CSV');
}

async function rangeOf(org, period) {
  if (period !== 'cycle') return { from: new Date(Date.now() - Number(period) * 86_400_000).toISOString() };
  const { cycle } = await api.balance(org);
  return { from: cycle?.start };
}

// The path to the current selection: organization, agent, conversation, each a link.
function trail(org, rest, { agent, conversation }) {
  if (agent === undefined)
    return h(
      'p',
      { class: 'hint' },
      'Choose an agent below to see its conversations.',
    );
  return h(
    'nav',
    { class: 'crumbs', 'aria-label': 'Selection' },
    h('a', { href: orgAddress(org, 'usage', rest) }, 'All agents'),
    ' / ',
    conversation === undefined
      ? h('b', {}, `Agent ${agent || '(none)'}`)
      : [
          h('a', { href: orgAddress(org, 'usage', { ...rest, agent }) }, `Agent ${agent || '(none)'}`),
          ' / ',
          h('b', {}, `Conversation ${conversation || '(none)'}`),
        ],
  );
}

function dailySection({ rows, total }, ofAll, { by, hourly, signal }) {
  const starts = [...new Set(rows.map((row) => row.start))].sort();
  const ranked = [...ofAll]
    .sort((a, b) => (micro(a.credits) < micro(b.credits) ? 1 : -1))
    .map((row) => row[by]);
  const names = ranked.slice(0, most_series);
  const at = (start, fits) =>
    sum(rows.filter((row) => row.start === start && fits(row[by])).map((row) => row.credits));
  const series = names.map((name) => ({
    label: name ?? 'none',
    data: starts.map((start) => at(start, (one) => one === name)),
  }));
  if (ranked.length > names.length)
    series.push({ label: 'others', data: starts.map((start) => at(start, (one) => !names.includes(one))) });
  const text = (start) =>
    hourly
      ? new Date(start).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })
      : shortDay(start);
  const label = `Credits by ${hourly ? 'hour' : 'day'} and ${by}: ${credits(total.credits)} in all`;
  const configure = () => ({
    type: 'bar',
    data: {
      labels: starts.map(text),
      datasets: series.map((one, index) => ({
        ...one,
        data: one.data.map(Number),
        backgroundColor: seriesColour(index),
        maxBarThickness: 48,
      })),
    },
    options: { scales: { x: { stacked: true }, y: { stacked: true } } },
  });
  return section(
    hourly ? 'Hour by hour' : 'Day by day, UTC',
    h('p', {}, label, '.'),
    chart(label, configure, signal),
    figures(
      'Figures',
      table(
        label,
        [
          {
            title: hourly ? 'Hour' : 'Day (UTC)',
            cell: (index) => (hourly ? text(starts[index]) : day(starts[index])),
          },
          ...series.map((one) => ({
            title: one.label,
            number: true,
            cell: (index) => credits(one.data[index]),
          })),
        ],
        starts.map((_, index) => index),
      ),
    ),
  );
}

function innerSection(org, inner, found, rest, chosen) {
  const title = { agent: 'By agent', conversation: 'By conversation', key: 'By API key' }[inner];
  const name = (row) => {
    const text = row[inner] ?? '(none)';
    if (inner === 'key') return text;
    return h(
      'a',
      { href: orgAddress(org, 'usage', { ...rest, ...chosen, [inner]: row[inner] ?? '' }) },
      text,
    );
  };
  return section(title, shares(inner, found, name));
}

function shares(dimension, { rows, total }, name) {
  const all = Number(total.credits);
  const share = (row) => (all === 0 ? 0 : Number(row.credits) / all);
  const title = dimension[0].toUpperCase() + dimension.slice(1);
  return sortableTable(
    `Credits by ${dimension}, ${count(rows.length)} rows`,
    [
      { title, cell: name, sort: (row) => row[dimension] ?? '' },
      {
        title: 'Credits',
        number: true,
        cell: (row) => credits(row.credits),
        sort: (row) => micro(row.credits),
      },
      { title: 'Share', number: true, cell: (row) => percent(share(row)), sort: (row) => micro(row.credits) },
      { title: 'Calls', number: true, cell: (row) => count(row.calls), sort: (row) => Number(row.calls) },
    ],
    rows,
    { index: 1, down: true },
  );
}
