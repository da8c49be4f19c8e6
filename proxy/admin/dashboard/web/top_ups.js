// All purchases, paid or requested.
import { api } from './api.js';
import { buyDialog } from './buy.js';
import { emptyState, h, table } from './dom.js';
import { credits, minute, usd } from './format.js';
import { isAdmin } from './session.js';
import { statusBadge } from './status_badge.js';

export async function topUpsPage(place, context) {
  const { org, signal } = context;
  const details = await context.details();
  const list = h('div');
  const draw = async () => {
    const { top_ups } = await api.topUps(org);
    if (signal.aborted) return;
    list.replaceChildren(
      top_ups.length === 0
        ? emptyState(
            'Nothing was bought yet.',
            isAdmin()
              ? 'Buy a pack by hand, or switch automatic top-ups on in the billing settings.'
              : 'Automatic top-ups appear here when the balance falls below their threshold.',
          )
        : table(
            'Top-ups, newest first',
            [
              {
                title: 'Asked for',
                cell: (one) => h('time', { datetime: one.requested_at }, minute(one.requested_at)),
              },
              { title: 'Amount', number: true, cell: (one) => usd(one.amount_usd) },
              { title: 'Credits', number: true, cell: (one) => credits(one.credits) },
              { title: 'State', cell: (one) => statusBadge(one.status) },
              { title: 'Bought', cell: (one) => (one.automatic ? 'automatically' : 'by hand') },
              { title: 'Settled', cell: (one) => minute(one.resolved_at) },
              { title: 'Id', cell: (one) => h('code', { title: one.id }, one.id.slice(0, 16)) },
            ],
            [...top_ups].sort((a, b) => b.requested_at.localeCompare(a.requested_at)),
          ),
    );
  };
  place.replaceChildren(
    isAdmin()
      ? h(
          'div',
          { class: 'actions' },
          h(
            'button',
            { type: 'button', class: 'primary', onclick: () => buyDialog(org, details, draw) },
            'Buy credits',
          ),
        )
      : '',
    list,
  );
  await draw();
}
