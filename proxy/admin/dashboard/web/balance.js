// The balance, its sources and its expiry, with a counter that moves as calls come in.
import { api } from './api.js';
import { buyDialog } from './buy.js';
import { burnDown } from './burn_down.js';
import { announce, emptyState, h, section, table } from './dom.js';
import { clock, count, credits, day, kind, minute, percent, time, usd } from './format.js';
import { happenedSections } from './happened.js';
import { describe, readBefore } from './ledger.js';
import { atMostEvery, follow } from './live.js';
import { orgAddress } from './address.js';
import { isAdmin } from './session.js';
import { capText, meter, standing } from './standing.js';

// Data that is not in the stream is requested after an event, and at most this often.
const pause_ms = 1000;
const drawing_pause_ms = 10_000;
const latest_shown = 8;

export async function balancePage(place, context) {
  const { org, signal } = context;
  const [balance, details] = await Promise.all([api.balance(org), context.details()]);
  if (signal.aborted) return;
  const live = liveCard(balance, context, details);
  const grants = h('div');
  const latest = latestCalls(org, signal);
  const cycle = cycleDrawing(context);
  const happened = happenedSections(org, balance.cycle);
  place.replaceChildren(
    h(
      'div',
      { class: 'two' },
      h('div', { class: 'page' }, live.element, section('Grants', grants), happened.alerts),
      h(
        'div',
        { class: 'page' },
        section('This cycle', await cycle.draw()),
        section('Latest entries', latest.element),
        happened.latest,
      ),
    ),
  );
  drawGrants(grants, balance, org);
  let grantsShown = JSON.stringify(balance.grants.map((one) => one.id + one.remaining));
  let told = 0; // an answer older than the stream must not turn the counter back
  const ask = async () => {
    const before = told;
    const now = await api.balance(org, { signal });
    live.update(now, told === before);
    const shown = JSON.stringify(now.grants.map((one) => one.id + one.remaining));
    if (shown !== grantsShown) drawGrants(grants, now, org);
    grantsShown = shown;
    await latest.update();
  };
  const refresh = atMostEvery(pause_ms, ask, signal);
  const redraw = atMostEvery(
    drawing_pause_ms,
    () => cycle.draw(),
    signal,
  );
  follow(org, {
    from: sinceCycle(balance.cycle),
    on: {
      balance: (now) => {
        told += 1;
        live.show(now);
        refresh();
      },
      usage: redraw,
      event: (event) => {
        if (happened.add(event)) redraw();
        refresh();
      },
      again: ask,
      status: live.status,
    },
    signal,
  });
  refresh();
}

// The position in the stream that covers every event of the cycle, and usage from about now on. An
// inaccurate clock shows a little more, or begins a moment later.
const sinceCycle = (cycle) => `${Date.parse(cycle?.start ?? 0)}-0.${Date.now() - 10_000}-0`;

// Redraws the burn-down chart in place, without disturbing a user who is reading its figures.
function cycleDrawing(context) {
  const place = h('div');
  let drawn = null;
  context.signal.addEventListener('abort', () => drawn?.abort());
  const draw = async () => {
    const next = new AbortController();
    const content = await burnDown({ ...context, signal: next.signal });
    if (context.signal.aborted || place.querySelector('details')?.open) return place;
    drawn?.abort();
    drawn = next;
    place.replaceChildren(...[content].flat());
    return place;
  };
  return { draw };
}

function liveCard(first, context, details) {
  const number = h('output', { class: 'counter', id: 'available' });
  const state = h('span', { class: 'badge' });
  const bar = h('div');
  const facts = h('dl', { class: 'facts' });
  const cycle = h('p', { class: 'hint cycle' });
  const settled = h('span', { id: 'settled' });
  const dot = h('span', { class: 'live' }, 'Live');
  let before = null;
  // Shows figures from the stream at once; `update` shows the whole balance.
  const show = ({ available, settled: used }) => {
    const text = credits(available);
    if (before !== null && before !== text) {
      number.classList.remove('moved');
      void number.offsetWidth; // restarts the animation
      number.classList.add('moved');
      announce(`${text} credits available`, { atMostEvery: 5000 });
    }
    before = text;
    number.textContent = text;
    settled.textContent = credits(used);
  };
  const update = (balance, isLatest = true) => {
    const now = standing(balance);
    if (isLatest) show(balance);
    state.textContent = now.text;
    state.className = `badge ${now.level}`;
    bar.replaceChildren(meter(now.ratio, now.level, `${percent(now.ratio)} of the credits in hand are used`));
    cycle.replaceChildren(...cycleWords(balance.cycle));
    facts.replaceChildren(
      ...factsOf(balance, settled).map(([name, value]) =>
        h('div', {}, h('dt', {}, name), h('dd', {}, value)),
      ),
    );
  };
  update(first);
  const element = section(
    'Available credits',
    h('p', { class: 'headline' }, number, ' ', state, dot),
    bar,
    cycle,
    facts,
    isAdmin() &&
      h(
        'div',
        { class: 'actions' },
        h(
          'button',
          {
            type: 'button',
            class: 'primary',
            onclick: () =>
              buyDialog(context.org, details, async () => update(await api.balance(context.org))),
          },
          'Buy credits',
        ),
        h('a', { class: 'button', href: orgAddress(context.org, 'settings') }, 'Billing settings'),
      ),
  );
  const status = (fine, message) => {
    dot.textContent = fine ? 'Live' : `Not live: ${message}`;
    dot.classList.toggle('off', !fine);
  };
  return { element, show, update, status };
}

const cycleWords = (cycle) =>
  cycle
    ? [
        'Cycle from ',
        h('span', { class: 'nowrap' }, day(cycle.start)),
        ' to ',
        h('span', { class: 'nowrap' }, day(cycle.end)),
        ', days of UTC',
      ]
    : ['No cycle yet'];

function factsOf(balance, settled) {
  const { overage, spend_cap: cap } = balance;
  return [
    ['Plan', balance.plan ?? 'none'],
    ['Held for open calls', credits(balance.held)],
    ['Used in total', settled],
    [
      'Overage in this cycle',
      Number(overage.credits) > 0
        ? `${credits(overage.credits)} (${usd(overage.usd)})`
        : overage.allowed
          ? 'none yet'
          : 'not allowed',
    ],
    ...(Number(overage.owed) > 0 ? [['Owed in credits, paid off by the next grants', credits(overage.owed)]] : []),
    ['Spend cap', capText(cap)],
    [
      'Automatic top-up',
      balance.auto_top_up
        ? `${usd(balance.auto_top_up.amount_usd)} below ${credits(balance.auto_top_up.threshold_credits)}`
        : 'off',
    ],
  ];
}

function drawGrants(place, balance, org) {
  if (balance.grants.length === 0) {
    place.replaceChildren(
      emptyState(
        'No grant has credits left.',
        isAdmin()
          ? [
              'Buy credits above, give the organization a plan, or grant some: ',
              h('code', {}, `tollgate grant ${org} 500`),
            ]
          : 'Ask your administrator for credits.',
      ),
    );
    return;
  }
  place.replaceChildren(
    table(
      'Grants with credits left, in burn-down order',
      [
        {
          title: 'Grant',
          cell: (one) => [
            kind(one.kind),
            one.kept ? h('span', { class: 'badge near' }, 'expired, kept for calls under way') : '',
          ],
        },
        { title: 'Left', number: true, cell: (one) => credits(one.remaining) },
        { title: 'Of', number: true, cell: (one) => credits(one.credits) },
        { title: 'Expires', cell: (one) => (one.expires_at ? minute(one.expires_at) : 'never') },
      ],
      balance.grants,
    ),
  );
}

// The end of the ledger: entries since the last request are inserted at the top.
function latestCalls(org, signal) {
  const element = h('div', {}, h('p', { class: 'muted' }, 'Waiting for calls…'));
  let shown = [];
  // Ids of entries begin with their time in milliseconds. An inaccurate clock shows a little more.
  let since = Date.now() - 15 * 60_000;
  const update = async () => {
    const end = Date.now() + 60_000; // this clock may be a little behind the ledger's
    const { entries } = await readBefore(org, end, signal, { earliest: since, span: end - since });
    const known = new Set(shown.map((one) => one.id));
    const fresh = entries.filter((one) => one.type !== 'reserve' && !known.has(one.id));
    if (fresh.length === 0 && shown.length > 0) return;
    if (entries.length > 0) since = Number(entries[0].id.split('-')[0]);
    shown = [...fresh, ...shown].slice(0, latest_shown);
    element.replaceChildren(
      shown.length === 0
        ? emptyState(
            'Nothing in the last quarter of an hour.',
            'Calls appear here as they come in. ',
            h('a', { href: orgAddress(org, 'ledger') }, 'See the ledger'),
          )
        : table(
            'The latest entries of the ledger',
            [
              {
                title: 'When',
                cell: (one) => h('time', { datetime: one.at, title: time(one.at) }, clock(one.at)),
              },
              { title: 'What', cell: describe },
              { title: 'Credits', number: true, cell: (one) => credits(one.credits) },
              { title: 'Then available', number: true, cell: (one) => credits(one.available) },
            ],
            shown,
            { hideCaption: true, stack: true },
          ),
      h(
        'p',
        { class: 'hint' },
        `At most ${count(latest_shown)} are shown here. `,
        h('a', { href: orgAddress(org, 'ledger') }, 'All in the ledger'),
      ),
    );
  };
  return { element, update };
}
