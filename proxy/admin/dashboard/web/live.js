// Live events of an organization: one stream of events while the page is visible.
import { api, parseExact } from './api.js';

const account_events = [
  'usage_threshold',
  'balance_exhausted',
  'spend_cap_reached',
  'top_up_requested',
  'top_up_completed',
  'top_up_failed',
  'cycle_closed',
  'overage_billed',
  'billing_updated',
  'suspended',
  'resumed',
].map((name) => `account.${name}`);
const shortest_wait_ms = 1000,
  longest_wait_ms = 30_000;

// Calls `on.balance(data)`, `on.usage(data)` and `on.event(envelope)` until `signal` ends it;
// `on.again()` whenever something may have been missed; `on.status(fine, why)`. `from` is the
// position at which it begins.
//
// A hidden page has no stream: a browser opens only a few connections per address, and other pages
// need them.
export function follow(org, { from, on, signal }) {
  let source = null,
    timer = null,
    last = from,
    wait_ms = shortest_wait_ms;

  const close = () => {
    source?.close();
    source = null;
    clearTimeout(timer);
  };
  const take = (act) => (event) => {
    last = event.lastEventId || last;
    wait_ms = shortest_wait_ms;
    act(parseExact(event.data));
  };

  // Requests what is no longer in the stream.
  const missed = () => {
    on.again().catch(() => {}); // the next event requests it again
  };

  // Finds out by a call why the stream broke: its error response cannot be read.
  const broken = async () => {
    close();
    let why = 'the stream of events broke off';
    try {
      await on.again();
    } catch (error) {
      if (error.name === 'AbortError' || signal.aborted) return;
      why = error.message;
    }
    if (signal.aborted || document.hidden || source) return;
    on.status(false, why);
    timer = setTimeout(open, wait_ms * (0.75 + Math.random() / 2));
    wait_ms = Math.min(wait_ms * 2, longest_wait_ms);
  };

  function open() {
    close();
    source = new EventSource(api.eventsAddress(org, last));
    source.onopen = () => on.status(true);
    source.onerror = broken;
    source.addEventListener('balance', take((told) => on.balance(told.data)));
    source.addEventListener('usage', take(on.usage));
    source.addEventListener('gap', take(missed));
    for (const name of account_events) source.addEventListener(name, take(on.event));
  }

  const look = () => {
    if (document.hidden) {
      close();
      return;
    }
    if (source) return;
    open();
    on.again().catch(() => {}); // if the API cannot be reached either, the stream reports it
  };
  document.addEventListener('visibilitychange', look);
  signal.addEventListener('abort', () => {
    document.removeEventListener('visibilitychange', look);
    close();
  });
  if (!document.hidden && !signal.aborted) open();
}

// Runs `act` soon after a request, and not again before it has ended and `pause_ms` have passed.
export function atMostEvery(pause_ms, act, signal) {
  let wanted = false,
    running = false;
  const run = async () => {
    running = true;
    while (wanted && !signal.aborted) {
      wanted = false;
      await act().catch(() => {}); // the next event requests it again
      await new Promise((wake) => {
        setTimeout(wake, pause_ms);
      });
    }
    running = false;
  };
  return () => {
    wanted = true;
    if (!running) run();
  };
}
