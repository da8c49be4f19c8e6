// The current cycle: cumulative use by day, against the supply. All figures come from the API; this
// module draws them.
import { api } from './api.js';
import { chart, figures, named } from './charts.js';
import { emptyState, h, table } from './dom.js';
import { credits, day, micro, shortDay, wholeCredits } from './format.js';

const day_ms = 86_400_000;

function daysOf(cycle) {
  const days = [];
  for (let at = Date.parse(cycle.start); at < Date.parse(cycle.end); at += day_ms) {
    days.push(new Date(at).toISOString().slice(0, 10));
  }
  return days;
}

const endsWords = (found) => (found.ends_at === null ? '' : ` Calls end at ${credits(found.ends_at)}.`);

export async function burnDown({ org, signal }) {
  const found = await api.burnDown(org);
  if (!found.cycle)
    return emptyState('No cycle yet.', 'Cycles begin when the organization is configured.');
  const { start, end } = found.cycle;
  const days = daysOf(found.cycle);
  const cumulative = days.map((_, index) => found.days[index]?.total ?? null);
  const unused = micro(found.used) === 0n;
  const label = unused
    ? `Nothing used yet of ${credits(found.supply)} credits, since ${day(start)} (UTC)`
    : `Credits used since ${day(start)} (UTC): ${credits(found.used)} of ${credits(found.supply)}` +
      (found.expected ? `; by ${day(end)} probably about ${wholeCredits(found.expected.expected)}` : '');
  const drawn = { days, cumulative, available: found.supply, cap: found.ends_at, forecast: found.expected };
  return [
    h('p', {}, label, '.', endsWords(found)),
    chart(label, () => config(drawn), signal),
    figures(
      'Figures by day',
      table(
        'Use by day, UTC',
        [
          { title: 'Day (UTC)', cell: (one) => day(one.day) },
          { title: 'Used', number: true, cell: (one) => credits(one.used) },
          { title: 'Since the beginning', number: true, cell: (one) => credits(one.total) },
        ],
        found.days,
      ),
    ),
  ];
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
  if (cap !== null) datasets.push(line('Calls end', flat(cap), named('bad'), { borderDash: [2, 3] }));
  if (forecast) datasets.push(...band(days, cumulative, forecast));
  return { type: 'line', data: { labels: days.map(shortDay), datasets } };
}

// From today's total to the range at the cycle's end.
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
