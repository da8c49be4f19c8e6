// Cycles and their changes, in lines that add up to the closing balance.
import { api } from './api.js';
import { download } from './download.js';
import { emptyState, errorBox, h, section, table } from './dom.js';
import { count, credits, day, fromMicro, micro, month, signed, usd } from './format.js';
import { orgAddress } from './address.js';

const stateOf = (one) => (one.final ? 'Final' : one.closed ? 'Closed, calls still open' : 'Open');

export async function statementsPage(place, { org, signal }) {
  const { statements } = await api.statements(org);
  if (signal.aborted) return;
  if (statements.length === 0) {
    place.replaceChildren(
      emptyState(
        'No statements yet.',
        'Cycles begin when an organization is configured for the first time.',
      ),
    );
    return;
  }
  place.replaceChildren(
    table(
      'Statements, newest first',
      [
        {
          title: 'Cycle',
          cell: (one) => h('a', { href: orgAddress(org, `statements/${one.month}`) }, month(one.month)),
        },
        { title: 'Plan', cell: (one) => one.plan ?? '–' },
        { title: 'From (UTC)', cell: (one) => day(one.cycle.start) },
        { title: 'To (UTC)', cell: (one) => day(one.cycle.end) },
        { title: 'Used', number: true, cell: (one) => credits(one.usage.credits) },
        { title: 'Closing', number: true, cell: (one) => credits(one.closing) },
        {
          title: 'Overage',
          number: true,
          cell: (one) =>
            Number(one.overage.credits) === 0
              ? '–'
              : `${credits(one.overage.credits)} (${usd(one.overage.usd)})`,
        },
        { title: 'State', cell: (one) => stateOf(one) },
      ],
      [...statements].reverse(),
    ),
  );
}

const calls = (text) => `${count(text)} ${text === '1' ? 'call' : 'calls'}`;
const negative = (text) => fromMicro(-micro(text));

// [name, signed credits], in the order of the sum.
export function linesOf(one) {
  return [
    ['Opening balance', one.opening],
    ['Plan allocation', one.allocation],
    ['Rolled over from the previous cycle', one.rollover.in],
    ['Purchases', one.purchases],
    ['Top-ups', one.top_ups],
    ['Promotions', one.promotions],
    ['Corrections', one.corrections],
    ['Overage billed', one.overage_billed],
    ...one.usage.lines.map((line) => [
      `Used: ${line.action ?? 'other'}${line.model ? ', ' + line.model : ''} (${calls(line.calls)})`,
      negative(line.credits),
    ]),
    ['Used: everything else', negative(one.usage.other)],
    ['Rolled over to the next cycle', negative(one.rollover.out)],
    ['Forfeited', negative(one.forfeited)],
  ];
}

export async function statementPage(place, { org, item, signal }) {
  const one = await api.statement(org, item);
  if (signal.aborted) return;
  const lines = linesOf(one).filter(([, amount], index) => index === 0 || micro(amount) !== 0n);
  const total = fromMicro(lines.reduce((all, [, amount]) => all + micro(amount), 0n));
  const rows = [...lines, ['Closing balance', one.closing]];
  const message = h('div');
  const csv = async () => {
    try {
      download(`${org}-${item}.csv`, [(await api.statementCsv(org, item)).text]);
    } catch (error) {
      message.replaceChildren(errorBox(error));
    }
  };
  place.replaceChildren(
    section(
      `Statement of ${month(item)}`,
      h(
        'p',
        {},
        `${day(one.cycle.start)} – ${day(one.cycle.end)} (UTC), plan ${one.plan ?? 'none'}. ${stateOf(one)}.`,
      ),
      h(
        'div',
        { class: 'statement' },
        table(
          `Credits of ${month(item)}`,
          [
            { title: 'Line', cell: ([name]) => name },
            {
              title: 'Credits',
              number: true,
              cell: ([name, amount]) => (/balance$/.test(name) ? credits(amount) : signed(amount)),
            },
          ],
          rows,
          { hideCaption: true },
        ),
      ),
      micro(total) === micro(one.closing)
        ? h('p', { class: 'hint' }, 'The lines add up to the closing balance, to the millionth of a credit.')
        : h(
            'p',
            { class: 'warning' },
            `The lines add up to ${credits(total)}: calls came in between. Load the page again.`,
          ),
      Number(one.overage.credits) > 0 &&
        h(
          'p',
          {},
          one.closed
            ? `Overage: ${credits(one.overage.credits)} credits, billed ${usd(one.overage.usd)}.`
            : `Overage so far: ${credits(one.overage.credits)} credits; if the cycle ended now, ${usd(one.overage.usd)} would be billed.`,
        ),
      message,
      h(
        'div',
        { class: 'actions' },
        h('button', { type: 'button', onclick: csv }, 'Export as CSV'),
        h('a', { class: 'button', href: orgAddress(org, 'statements') }, 'All statements'),
      ),
    ),
  );
}
