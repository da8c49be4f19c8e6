// What happens to an organization, as it happens: one stream of events while somebody looks.
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

// Calls `on.balance(data)`, `on.usage(data)` and `on.event(envelope)` until `signal` ends it; `on.again()`
// whenever something may have been missed; `on.status(fine, why)`. `from` is where to begin.
//
// A page that nobody sees has no stream: a browser opens only a handful of connections to one address,
// and the other pages need them.
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

  // What the stream can no longer tell is asked for.
  const missed = () => {
    on.again().catch(() => {}); // what comes next asks again
  };

  // Why it broke, only a call tells: a stream's answer cannot be read.
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
    on.again().catch(() => {}); // the stream says it, if it cannot be reached either
  };
  document.addEventListener('visibilitychange', look);
  signal.addEventListener('abort', () => {
    document.removeEventListener('visibilitychange', look);
    close();
  });
  if (!document.hidden && !signal.aborted) open();
}

// Runs `act` soon after it is asked to, and not again before it has ended and `pause_ms` have passed.
export function atMostEvery(pause_ms, act, signal) {
  let wanted = false,
    running = false;
  const run = async () => {
    running = true;
    while (wanted && !signal.aborted) {
      wanted = false;
      await act().catch(() => {}); // what comes next asks again
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
