// All calls to the server. Numbers in its JSON stay strings: credits are exact decimals, doubles
// are not.
import { session } from './session.js';

const string_or_number = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
export const parseExact = (text) =>
  JSON.parse(text.replace(string_or_number, (token) => (token[0] === '"' ? token : `"${token}"`)));

export class ApiError extends Error {
  constructor(status, error) {
    super(error?.message ?? `The server answered ${status}.`);
    Object.assign(this, { status, code: error?.code, param: error?.param });
  }
}

let overHandler = () => {};
export const onSessionOver = (handler) => {
  overHandler = handler;
};

// A page that the user has not touched for a while only watches: its own requests then do not keep
// the session from being idle.
const watching_after_ms = 60_000;
let touched = Date.now();
for (const what of ['pointerdown', 'pointermove', 'keydown', 'wheel'])
  addEventListener(what, () => (touched = Date.now()), { capture: true, passive: true });

async function send(method, path, { body, headers = {}, accept = 'application/json', signal } = {}) {
  const options = { method, signal, headers: { Accept: accept, ...headers }, credentials: 'same-origin' };
  if (method !== 'GET') options.headers['X-Tollgate-CSRF'] = session.csrf ?? '';
  if (Date.now() - touched > watching_after_ms) options.headers['X-Tollgate-Watch'] = '1';
  if (body !== undefined) {
    options.headers['Content-Type'] = 'application/json';
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, { message: 'Tollgate does not answer. Is it running?' });
  }
  return { response, text: await response.text() };
}

async function call(method, path, options) {
  const { response, text } = await send(method, path, options);
  if (response.ok && options?.accept === 'text/csv') return { text, link: response.headers.get('Link') };
  let answer = null;
  try {
    answer = parseExact(text);
  } catch {
    // an intermediate proxy may have answered in another format
  }
  if (response.ok && answer) return answer.data;
  const error = new ApiError(response.status, answer?.error);
  if (response.status === 401 && path !== '/dashboard/session') overHandler();
  throw error;
}

const path = (org, what = '') => `/admin/v1/orgs/${encodeURIComponent(org)}${what}`;
const query = (parameters) => {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return given.length ? `?${new URLSearchParams(given).toString().replaceAll('+', '%20')}` : '';
};

export const api = {
  session: () => call('GET', '/dashboard/session'),
  logIn: (secret) => call('POST', '/dashboard/session', { body: { secret } }),
  logOut: () => call('DELETE', '/dashboard/session'),

  orgs: (after, limit = 1000) => call('GET', `/admin/v1/orgs${query({ after, limit })}`),
  org: (org) => call('GET', path(org)),
  putOrg: (org, body) => call('PUT', path(org), { body }),
  balance: (org, options) => call('GET', path(org, '/balance'), options),
  usage: (org, parameters) => call('GET', path(org, `/usage${query(parameters)}`)),
  usageCsv: (org, parameters) => call('GET', path(org, `/usage${query(parameters)}`), { accept: 'text/csv' }),
  ledger: (org, after, limit) => call('GET', path(org, `/ledger${query({ after, limit })}`)),
  ledgerCsv: (org, after) =>
    call('GET', path(org, `/ledger${query({ after, limit: 1000 })}`), { accept: 'text/csv' }),
  statements: (org) => call('GET', path(org, '/statements')),
  statement: (org, month) => call('GET', path(org, `/statements/${encodeURIComponent(month)}`)),
  statementCsv: (org, month) =>
    call('GET', path(org, `/statements/${encodeURIComponent(month)}`), { accept: 'text/csv' }),
  // The address of an event stream; `last` is the id of the last event received.
  eventsAddress: (org, last) => path(org, `/events${query({ last_event_id: last })}`),
  burnDown: (org) => call('GET', path(org, '/burn_down')),
  // The credits that dollars buy, and a percentage of them and of the plan's credits.
  quote: (org, { amount_usd, percent }) => call('GET', path(org, `/quote${query({ amount_usd, percent })}`)),
  topUps: (org) => call('GET', path(org, '/top_ups')),
  buy: (org, amount_usd, key) =>
    call('POST', path(org, '/top_ups'), { body: { amount_usd }, headers: { 'Idempotency-Key': key } }),
};
