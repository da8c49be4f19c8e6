// The cycle so far: use day by day, added up, against what there is to use.
import { api } from './api.js';
import { chart, figures, named } from './charts.js';
import { emptyState, h, table } from './dom.js';
import { credits, day, fromMicro, micro, shortDay, sum, wholeCredits } from './format.js';
import { session } from './session.js';

const day_ms = 86_400_000;

function daysOf(cycle) {
  const days = [];
  for (let at = Date.parse(cycle.start); at < Date.parse(cycle.end); at += day_ms) {
    days.push(new Date(at).toISOString().slice(0, 10));
  }
  return days;
}

// Everything that this cycle brought and may be used up.
const supply = (one) =>
  sum([
    one.opening,
    one.allocation,
    one.rollover.in,
    one.purchases,
    one.top_ups,
    one.promotions,
    one.corrections,
  ]);

// Nothing: there is no such call, or nothing to tell yet.
async function projectionOf(org) {
  if (!session.features.projection) return null;
  const found = await api.projection(org).catch(() => null);
  return found?.credits?.expected === undefined ? null : found.credits;
}

export async function burnDown(balance, { org, signal }) {
  if (!balance.cycle)
    return emptyState('There is no cycle yet.', 'An organization has cycles from its first PUT on.');
  const { start, end } = balance.cycle;
  const now = Date.now();
  const [usage, { statements }, projection] = await Promise.all([
    api.usage(org, { from: start, to: Date.parse(end) < now ? end : undefined, granularity: 'day' }),
    api.statements(org),
    projectionOf(org),
  ]);
  const open = statements.at(-1);
  const days = daysOf(balance.cycle);
  const used = new Map(usage.rows.map((row) => [row.start.slice(0, 10), row.credits]));
  let total = 0n;
  const cumulative = days.map((date) => {
    if (Date.parse(date) > now) return null;
    total += micro(used.get(date) ?? '0');
    return fromMicro(total);
  });
  const available = open ? supply(open) : '0';
  const cap = capLine(available, balance);
  const forecast = total === 0n ? null : notBelow(fromMicro(total), projection);
  const label =
    total === 0n
      ? `Nothing used yet of ${credits(available)} credits, since ${day(start)} (UTC)`
      : `Credits used since ${day(start)} (UTC): ${credits(fromMicro(total))} of ${credits(available)}` +
        (forecast ? `; by ${day(end)} probably about ${wholeCredits(forecast.expected)}` : '');
  return [
    h('p', {}, label, '.', cap === null ? '' : ` The spend cap ends them at ${credits(cap)}.`),
    chart(label, () => config({ days, cumulative, available, cap, forecast }), signal),
    figures(
      'Figures by day',
      table(
        'Use by day, UTC',
        [
          { title: 'Day (UTC)', cell: ([date]) => day(date) },
          { title: 'Used', number: true, cell: ([date]) => credits(used.get(date) ?? 0) },
          { title: 'Since the beginning', number: true, cell: ([, value]) => credits(value) },
        ],
        days.map((date, index) => [date, cumulative[index]]).filter(([, value]) => value !== null),
      ),
    ),
  ];
}

// What is used cannot become less. The two come from two calls, and from two books: the counters by day,
// and the account.
function notBelow(used, projection) {
  if (!projection) return null;
  const least = (value) => (micro(value) > micro(used) ? value : used);
  return {
    low: least(projection.low),
    expected: least(projection.expected),
    high: least(projection.high),
  };
}

// How many credits the cap allows in all: those that are there, and those its dollars buy.
function capLine(available, balance) {
  const price = micro(balance.overage.usd_per_credit);
  if (!balance.spend_cap || price === 0n) return null;
  if (!balance.overage.allowed) return available;
  return fromMicro(micro(available) + (micro(balance.spend_cap.remaining_usd) * 1_000_000n) / price);
}

function config({ days, cumulative, available, cap, forecast }) {
  const flat = (value) => days.map(() => Number(value));
  const line = (label, data, colour, more = {}) => ({
    label,
    data,
    borderColor: colour,
    backgroundColor: colour,
    pointRadius: 0,
    pointStyle: 'line',
    pointBorderWidth: 3,
    borderWidth: 2,
    tension: 0,
    ...more,
  });
  const datasets = [
    line(
      'Used',
      cumulative.map((value) => (value === null ? null : Number(value))),
      named('c1'),
      { borderWidth: 3, pointRadius: cumulative.filter((value) => value !== null).length === 1 ? 4 : 0 },
    ),
    line('Credits of this cycle', flat(available), named('c3'), { borderDash: [6, 4] }),
  ];
  if (cap !== null) datasets.push(line('Spend cap', flat(cap), named('bad'), { borderDash: [2, 3] }));
  if (forecast) datasets.push(...band(days, cumulative, forecast));
  return { type: 'line', data: { labels: days.map(shortDay), datasets } };
}

// From today's sum to the range at the cycle's end.
function band(days, cumulative, forecast) {
  const today = cumulative.findLastIndex((value) => value !== null);
  const towards = (end) =>
    days.map((_, index) => {
      if (index < today) return null;
      const from = Number(cumulative[today]);
      return days.length - 1 === today
        ? from
        : from + ((Number(end) - from) * (index - today)) / (days.length - 1 - today);
    });
  const base = { pointRadius: 0, borderWidth: 0, backgroundColor: named('band'), borderColor: named('band') };
  return [
    { ...base, label: 'Low to high', pointStyle: 'rect', data: towards(forecast.high), fill: '+1' },
    { ...base, label: '_low', data: towards(forecast.low) },
    {
      ...base,
      label: 'Expected',
      pointStyle: 'line',
      pointBorderWidth: 3,
      data: towards(forecast.expected),
      borderWidth: 2,
      borderDash: [4, 4],
      borderColor: named('c1'),
    },
  ];
}
