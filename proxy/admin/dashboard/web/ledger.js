// Every change of the balance, newest first; filters over the loaded entries; export of all entries
// as CSV.
import { api } from './api.js';
import { download } from './download.js';
import { announce, emptyState, errorBox, field, h, select, table } from './dom.js';
import { credits, kind, signed, time } from './format.js';

const rows_wanted = 100;
const first_look_ms = 10_000;
const narrow_ms = 1000;
const few_pages = 3; // of 1,000 entries each
const most_pages = 50;

const words = {
  reserve: 'Held',
  settle: 'Used',
  void: 'Given back',
  expire: 'Hold expired',
  extend: 'Hold extended',
  grant: 'Granted',
  forfeit: 'Forfeited',
  roll_over: 'Rolled over',
  bill: 'Overage billed',
};

export function describe(entry) {
  const shrunk = entry.type === 'extend' && String(entry.amount).startsWith('-');
  const what = shrunk ? 'Part of a hold released' : (words[entry.type] ?? entry.type);
  const more = entry.model ?? entry.action ?? (entry.kind ? kind(entry.kind) : null);
  return more ? `${what}: ${more}` : what;
}

// The entries of [start, end), in milliseconds, oldest first; `complete` if these are all of them.
async function readBetween(org, start, end, most, signal) {
  // `after` is excluded, and no millisecond has that many entries.
  let after = start > 0 ? `${start - 1}-999999999` : '0-0';
  const entries = [];
  for (let pages = 0; pages < most && !signal.aborted; pages += 1) {
    const page = await api.ledger(org, after, 1000);
    const fitting = page.entries.filter((one) => Number(one.id.split('-')[0]) < end);
    entries.push(...fitting);
    if (!page.has_more || fitting.length < page.entries.length) return { entries, complete: true };
    after = page.next_after;
  }
  return { entries, complete: false };
}

// Pages go from old to new, ids begin with their time, and the newest entries are wanted. So this
// looks back further and further until there are enough, or down to `earliest`, and halves the step
// if it got far too many.
export async function readBefore(org, end, signal, { earliest = 0, span = first_look_ms } = {}) {
  let short = 0;
  let long = Infinity;
  for (;;) {
    const start = Math.max(earliest, Math.floor(end - span));
    const narrow = span - short <= narrow_ms;
    const { entries, complete } = await readBetween(org, start, end, narrow ? most_pages : few_pages, signal);
    const enough = entries.length >= rows_wanted || start === earliest;
    if (signal.aborted || narrow || (complete && (enough || long - span <= narrow_ms))) {
      return { entries: entries.reverse(), start };
    }
    if (complete) short = span;
    else long = span;
    span = long === Infinity ? span * 8 : (short + long) / 2;
  }
}

export async function ledgerPage(place, { org, query, signal }) {
  const state = {
    entries: [],
    start: null,
    filters: { type: query.get('type') ?? '', text: query.get('text') ?? '' },
  };
  const list = h('div');
  const message = h('div');
  const draw = () => drawEntries(list, state, older);
  const read = async (end) => {
    const found = await readBefore(org, end, signal);
    if (signal.aborted) return;
    state.entries.push(...found.entries);
    state.start = found.start;
    draw();
  };
  const older = () => read(state.start);
  const text = h('input', {
    type: 'search',
    value: state.filters.text,
    oninput: () => {
      state.filters.text = text.value;
      draw();
    },
  });
  const exportAll = h(
    'button',
    { type: 'button', id: 'export', onclick: () => exportCsv(org, exportAll, message, signal) },
    'Export all as CSV',
  );
  place.replaceChildren(
    h(
      'div',
      { class: 'toolbar' },
      field(
        'Type',
        select([['', 'All'], ...Object.entries(words)], state.filters.type, (value) => {
          state.filters.type = value;
          draw();
        }),
      ),
      field('Agent, conversation, model, key or request', text),
      exportAll,
    ),
    message,
    list,
  );
  list.replaceChildren(h('p', { class: 'muted' }, 'Loading…'));
  await read(Date.now() + 60_000); // this clock may be a little behind the ledger's
}

const matches = (entry, { type, text }) => {
  if (type && entry.type !== type) return false;
  const wanted = text.trim().toLowerCase();
  return (
    !wanted ||
    [
      entry.agent,
      entry.conversation,
      entry.model,
      entry.action,
      entry.route,
      entry.key,
      entry.request_id,
      entry.subject,
      entry.note,
    ].some((value) => value?.toLowerCase().includes(wanted))
  );
};

const columns = [
  { title: 'When', cell: (one) => h('time', { datetime: one.at }, time(one.at)) },
  { title: 'What', cell: (one) => h('span', { title: one.subject }, describe(one)) },
  {
    title: 'Credits',
    number: true,
    cell: (one) => (one.type === 'grant' ? signed(one.credits) : credits(one.credits)),
  },
  { title: 'Then available', number: true, cell: (one) => credits(one.available) },
  { title: 'Agent', cell: (one) => one.agent ?? '–' },
  { title: 'Conversation', cell: (one) => one.conversation ?? '–' },
  {
    title: 'Request',
    cell: (one) =>
      one.request_id ? h('code', { title: one.request_id }, one.request_id.slice(0, 8)) : (one.note ?? '–'),
  },
];

function drawEntries(list, state, older) {
  const shown = state.entries.filter((one) => matches(one, state.filters));
  const more = state.start > 0 && h('button', { type: 'button', onclick: older }, 'Older entries');
  if (shown.length === 0) {
    list.replaceChildren(
      state.entries.length === 0
        ? emptyState('The ledger is empty.', 'Grants and calls appear here.')
        : emptyState('No entry matches the filters.', 'Change the filters, or read older entries.'),
      more || '',
    );
    return;
  }
  list.replaceChildren(
    table(`Ledger, newest first: ${shown.length} of ${state.entries.length} entries read`, columns, shown),
    more || '',
  );
  announce(`${shown.length} entries`, { atMostEvery: 1500 });
}

// Appends page after page to one file with a single heading.
async function exportCsv(org, button, message, signal) {
  button.disabled = true;
  message.replaceChildren();
  try {
    const parts = [];
    for (let after = '0-0'; after && !signal.aborted;) {
      const page = await api.ledgerCsv(org, after);
      parts.push(parts.length === 0 ? page.text : page.text.slice(page.text.indexOf('\n') + 1));
      after = /after=([0-9-]+)/.exec(page.link ?? '')?.[1];
      if (after) announce(`${parts.length * 1000} entries exported so far`, { atMostEvery: 3000 });
    }
    download(`${org}-ledger.csv`, parts);
  } catch (error) {
    message.replaceChildren(errorBox(error));
  } finally {
    button.disabled = false;
  }
}
