// The account's events in words, and the alerts of this cycle.
import { announce, emptyState, h, section, table } from './dom.js';
import { clock, count, credits, minute, time, usd } from './format.js';
import { isAdmin } from './session.js';
import { orgAddress } from './address.js';

const most_shown = 8;
const most_kept = 200; // alerts of a cycle: each name may have its own
const most_known = 1000; // ids of events, to recognize repeated ones
const alert_types = ['account.usage_threshold', 'account.balance_exhausted', 'account.spend_cap_reached'];

const scopes = {
  agent: ['agent', 'an agent'],
  key: ['API key', 'an API key'],
  conversation: ['conversation', 'a conversation'],
};

// The agent, conversation or key of an event; empty for the whole organization. Callers without a
// name count as one.
function byWhom(data) {
  const scope = Object.keys(scopes).find((name) => data[name] !== undefined);
  if (!scope) return '';
  const [name, one] = scopes[scope];
  return data[scope] === null ? ` by calls without ${one}` : ` by ${name} “${data[scope]}”`;
}

function thresholdWords(data) {
  const by = byWhom(data);
  if (data.threshold_percent !== undefined)
    return `${data.threshold_percent} % of the cycle’s credits are used${by}: ${credits(data.used_credits)} of ${credits(data.of_credits)}`;
  if (data.threshold_spend_cap_percent !== undefined)
    return `${data.threshold_spend_cap_percent} % of the spend cap of ${usd(data.spend_cap_usd)} are spent${by}`;
  if (data.credits !== undefined) return `${credits(data.credits)} credits are used in this cycle${by}`;
  return `A threshold was reached${by}`;
}

const words = {
  'account.usage_threshold': thresholdWords,
  'account.balance_exhausted': () => 'All credits are used up',
  'account.spend_cap_reached': (data) => `The spend cap of ${usd(data.spend_cap_usd)} is reached`,
  'account.top_up_requested': (data) =>
    `${credits(data.credits)} credits are being bought for ${usd(data.amount_usd)}`,
  'account.top_up_completed': (data) =>
    `${credits(data.credits)} credits were bought for ${usd(data.amount_usd)}`,
  'account.top_up_failed': (data) => `Buying credits for ${usd(data.amount_usd)} failed`,
  'account.cycle_closed': () => 'The cycle was closed, and a new one began',
  'account.overage_billed': (data) => `${credits(data.credits)} credits of overage were billed, at ${usd(data.amount_usd)}`,
  'account.billing_updated': () => 'The billing settings were changed',
  'account.suspended': () => 'The organization was suspended: its calls are refused',
  'account.resumed': () => 'The organization was resumed: its calls are accepted',
};

export const happenedText = (event) => words[event.type]?.(event.data) ?? event.type;

const when = (at) => h('time', { datetime: at, title: time(at) }, isToday(at) ? clock(at) : minute(at));
const isToday = (at) => new Date(at).toDateString() === new Date().toDateString();

// Two sections that fill themselves as events arrive, newest first.
export function happenedSections(org, cycle) {
  const latest = [],
    known = new Set();
  const alertsPlace = h('div'),
    latestPlace = h('div');
  let alerts = [],
    told = 0, // includes those that are no longer kept
    since = Date.parse(cycle?.start ?? 0);

  let waiting = false;
  const draw = () => {
    waiting = false;
    alertsPlace.replaceChildren(
      ...(alerts.length === 0 ? [noAlerts(org)] : list('Alerts of this cycle, newest first', alerts, told)),
    );
    latestPlace.replaceChildren(
      ...(latest.length === 0
        ? [emptyState('Nothing yet.', 'Purchases, alerts and changed settings appear here.')]
        : list('Events of the account, newest first', latest, latest.length)),
    );
  };
  const beginAnew = ({ end }) => {
    if (!(Date.parse(end) > since)) return; // a repeated event
    since = Date.parse(end);
    alerts = alerts.filter((one) => Date.parse(one.created_at) >= since);
    told = alerts.length;
  };
  // Returns whether the event is recent.
  const add = (event) => {
    if (known.has(event.id)) return false; // repeated after a stream broke
    known.add(event.id);
    if (known.size > most_known) known.delete(known.values().next().value);
    const at = Date.parse(event.created_at);
    if (event.type === 'account.cycle_closed') beginAnew(event.data);
    if (alert_types.includes(event.type) && at >= since) {
      told += 1;
      alerts.unshift(event);
      alerts.splice(most_kept);
    }
    latest.unshift(event);
    latest.splice(most_shown);
    const isNew = Date.now() - at < 10_000;
    if (isNew) announce(happenedText(event));
    if (!waiting) requestAnimationFrame(draw); // draw many events at once
    waiting = true;
    return isNew;
  };
  draw();
  return {
    add,
    alerts: section('Alerts', alertsPlace),
    latest: section('What happened', latestPlace),
  };
}

const noAlerts = (org) =>
  emptyState(
    'No alert in this cycle.',
    isAdmin()
      ? ['Thresholds are set in the ', h('a', { href: orgAddress(org, 'settings') }, 'billing settings'), '.']
      : 'They appear here when a threshold is reached.',
  );

const list = (caption, events, all) =>
  [
    table(
      caption,
      [
        { title: 'When', cell: (one) => when(one.created_at) },
        { title: 'What', cell: happenedText },
      ],
      events.slice(0, most_shown),
      { hideCaption: true },
    ),
    all > most_shown && h('p', { class: 'hint' }, `The latest ${most_shown} of ${count(all)}.`),
  ].filter(Boolean);
