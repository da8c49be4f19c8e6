// All organizations, with search, sorting and pages. Balances are requested only for visible rows.
import { api } from './api.js';
import { announce, emptyState, field, h, select, table } from './dom.js';
import { credits, date, percent } from './format.js';
import { capText, meter, standing } from './standing.js';

const rows_a_page = 25;
const balances_at_once = 6;

const columns = [
  { title: 'Organization', key: (org) => org.id },
  { title: 'Plan', key: (org) => org.plan ?? '' },
  { title: 'Since', key: (org) => org.created_at },
];

// States that differ from normal.
const stateBadge = (org) => {
  if (org.suspended) return h('span', { class: 'badge suspended' }, 'Suspended');
  return org.mode === 'shadow' && h('span', { class: 'badge shadow' }, 'Shadow');
};

// Reads everything once, a thousand organizations per call.
async function readAll(signal, progress) {
  const orgs = [];
  for (let after = ''; ;) {
    const page = await api.orgs(after);
    if (signal.aborted) return orgs;
    orgs.push(...page.orgs);
    if (!page.has_more) return orgs;
    after = page.next_after;
    progress(orgs.length);
  }
}

export async function overview(main, signal) {
  document.title = 'Organizations · Tollgate';
  const state = { search: '', show: 'all', page: 0, sorted: { index: 0, down: false } };
  const balances = new Map();
  main.replaceChildren(h('p', { class: 'muted' }, 'Loading…'));
  const orgs = await readAll(signal, (n) =>
    main.replaceChildren(h('p', { class: 'muted' }, `${n} organizations…`)),
  );
  if (signal.aborted) return;
  if (orgs.length === 0) {
    main.replaceChildren(
      h('h1', {}, 'Organizations'),
      emptyState(
        'No organizations yet.',
        'Create the first one from a shell: ',
        h('code', {}, 'tollgate org create acme --plan starter'),
        ', then give it a key: ',
        h('code', {}, 'tollgate key create acme'),
        '.',
      ),
    );
    return;
  }
  const list = h('div');
  const draw = () => drawList(list, orgs, state, balances, signal, draw);
  const search = h('input', {
    type: 'search',
    oninput: () => {
      state.search = search.value;
      state.page = 0;
      draw();
    },
  });
  main.replaceChildren(
    h('h1', {}, 'Organizations'),
    h(
      'div',
      { class: 'toolbar' },
      field('Search', search),
      field(
        'Show',
        select(
          [
            ['all', 'All'],
            ['near', 'Near a limit (of those loaded)'],
            ['suspended', 'Suspended'],
            ['shadow', 'Shadow mode'],
          ],
          state.show,
          (value) => {
            state.show = value;
            state.page = 0;
            draw();
          },
        ),
      ),
    ),
    list,
  );
  draw();
}

function chosen(orgs, { search, show, sorted }, balances) {
  const wanted = search.trim().toLowerCase();
  const fits = {
    all: () => true,
    near: (org) => balances.has(org.id) && ['near', 'out'].includes(standing(balances.get(org.id)).level),
    suspended: (org) => org.suspended === true,
    shadow: (org) => org.mode === 'shadow',
  }[show];
  const found = orgs.filter(
    (org) =>
      fits(org) && (org.id.toLowerCase().includes(wanted) || (org.plan ?? '').toLowerCase().includes(wanted)),
  );
  const key = columns[sorted.index].key;
  found.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0) * (sorted.down ? -1 : 1));
  return found;
}

function drawList(list, orgs, state, balances, signal, redraw) {
  const found = chosen(orgs, state, balances);
  const pages = Math.max(1, Math.ceil(found.length / rows_a_page));
  state.page = Math.min(state.page, pages - 1);
  const rows = found.slice(state.page * rows_a_page, (state.page + 1) * rows_a_page);
  const cells = new Map(
    rows.map((org) => [
      org.id,
      { available: h('span', { class: 'muted' }, '…'), used: h('span'), standing: h('span'), cap: h('span') },
    ]),
  );
  const link = (org) => [
    h('a', { href: `#/org/${encodeURIComponent(org.id)}` }, org.id),
    stateBadge(org),
  ];
  const all = [
    { ...columns[0], cell: link },
    { title: 'Available', number: true, cell: (org) => cells.get(org.id).available },
    { title: 'Standing', cell: (org) => cells.get(org.id).standing },
    { title: 'Used', cell: (org) => cells.get(org.id).used },
    { ...columns[1], cell: (org) => h('span', { class: org.plan ? 'nowrap' : 'none' }, org.plan ?? '–') },
    { title: 'Spend cap', number: true, cell: (org) => cells.get(org.id).cap },
    { ...columns[2], cell: (org) => h('span', { class: 'nowrap' }, date(org.created_at)) },
  ];
  const sortable = [0, -1, -1, -1, 1, -1, 2]; // column of this table -> column of the sortable one
  const shown = all.map((column, index) => ({
    ...column,
    sort: sortable[index] >= 0 ? column.key : undefined,
  }));
  const onsort = (index) => {
    const by = sortable[index];
    state.sorted = { index: by, down: state.sorted.index === by && !state.sorted.down };
    redraw();
    list.querySelectorAll('thead th')[index].querySelector('button')?.focus();
  };
  const go = (step) => {
    state.page += step;
    redraw();
  };
  list.replaceChildren(
    rows.length === 0
      ? emptyState(
          'No organization matches.',
          state.show === 'near'
            ? 'None of the organizations loaded so far is near a limit. Balances are loaded page by page.'
            : 'Use a shorter search text.',
        )
      : table(`Organizations, ${found.length} found`, shown, rows, {
          sorted: { index: sortable.indexOf(state.sorted.index), down: state.sorted.down },
          onsort,
        }),
    h(
      'nav',
      { class: 'pager', 'aria-label': 'Pages' },
      h('button', { type: 'button', disabled: state.page === 0, onclick: () => go(-1) }, 'Back'),
      h('span', {}, `Page ${state.page + 1} of ${pages}`),
      h('button', { type: 'button', disabled: state.page + 1 >= pages, onclick: () => go(1) }, 'Next'),
    ),
  );
  fill(rows, cells, balances, signal);
  announce(`${found.length} organizations`, { atMostEvery: 2000 });
}

function fillRow(cell, balance) {
  const now = standing(balance);
  cell.available.className = now.level === 'out' ? 'bad' : '';
  cell.available.textContent = credits(balance.available);
  cell.used.replaceChildren(
    meter(now.ratio, now.level, `${percent(now.ratio)} of the credits in hand are used`),
  );
  cell.standing.replaceChildren(h('span', { class: `badge ${now.level}` }, now.text));
  cell.cap.className = balance.spend_cap ? '' : 'none';
  cell.cap.textContent = balance.spend_cap ? capText(balance.spend_cap) : '–';
}

// Requests a few at once, and none for rows that are no longer visible.
function fill(rows, cells, balances, signal) {
  const waiting = [...rows];
  const worker = async () => {
    for (let org = waiting.shift(); org && !signal.aborted; org = waiting.shift()) {
      const cell = cells.get(org.id);
      if (!balances.has(org.id)) {
        if (!cell.available.isConnected) return;
        try {
          balances.set(org.id, await api.balance(org.id));
        } catch {
          cell.available.textContent = 'not known';
          continue;
        }
      }
      fillRow(cell, balances.get(org.id));
    }
  };
  for (let i = 0; i < balances_at_once; i += 1) worker();
}
