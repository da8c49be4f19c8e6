// One organization: its pages, and the navigation between them.
import { orgAddress } from './address.js';
import { api } from './api.js';
import { emptyState, h } from './dom.js';
import { balancePage } from './balance.js';
import { ledgerPage } from './ledger.js';
import { settingsPage } from './settings.js';
import { statementPage, statementsPage } from './statements.js';
import { topUpsPage } from './top_ups.js';
import { usagePage } from './usage.js';
import { isAdmin } from './session.js';

const pages = [
  { name: 'balance', title: 'Balance', view: balancePage },
  { name: 'usage', title: 'Usage', view: usagePage },
  { name: 'ledger', title: 'Ledger', view: ledgerPage },
  {
    name: 'statements',
    title: 'Statements',
    view: (place, context) => (context.item ? statementPage : statementsPage)(place, context),
  },
  { name: 'top-ups', title: 'Top-ups', view: topUpsPage },
  { name: 'settings', title: 'Billing settings', view: settingsPage, admin: true },
];

export const orgView =
  ({ org, page, item, query }) =>
  async (main, signal) => {
    const known = pages.filter((one) => !one.admin || isAdmin());
    const chosen = known.find((one) => one.name === page);
    document.title = `${chosen?.title ?? 'Not found'} · ${org} · Tollgate`;
    const place = h('div', { class: 'page' }, h('p', { class: 'muted' }, 'Loading…'));
    main.replaceChildren(
      isAdmin()
        ? h(
            'nav',
            { 'aria-label': 'Breadcrumb', class: 'crumbs' },
            h('a', { href: '#/' }, 'Organizations'),
            ' / ',
            h('span', {}, org),
          )
        : '',
      h('h1', {}, org),
      h(
        'nav',
        { class: 'tabs', 'aria-label': 'Pages of this organization' },
        known.map((one) =>
          h(
            'a',
            { href: orgAddress(org, one.name), 'aria-current': one === chosen ? 'page' : undefined },
            one.title,
          ),
        ),
      ),
      place,
    );
    if (!chosen) {
      place.replaceChildren(
        emptyState('No such page.', h('a', { href: orgAddress(org) }, 'To the balance')),
      );
      return;
    }
    const context = { org, item, query, signal, details: isAdmin() ? () => api.org(org) : async () => null };
    await chosen.view(place, context);
  };
