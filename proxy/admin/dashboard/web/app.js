// The frame of the page, and the mapping from addresses to views.
import { api, onSessionOver } from './api.js';
import { announce, emptyState, errorBox, h } from './dom.js';
import { loginView } from './login.js';
import { orgView } from './org.js';
import { overview } from './overview.js';
import { isAdmin, session, setSession } from './session.js';

const main = document.getElementById('main');
const top = document.getElementById('top');
let leaving = new AbortController(); // ends everything that a view started when the user leaves it

// "#/org/acme/usage?agent=a1" -> { parts: ['org', 'acme', 'usage'], query }
export function readAddress(hash = location.hash) {
  const [path, search = ''] = hash.replace(/^#\/?/, '').split('?');
  return {
    parts: path.split('/').filter(Boolean).map(decodeURIComponent),
    query: new URLSearchParams(search),
  };
}

function chooseTheme() {
  const root = document.documentElement;
  root.dataset.theme = isDark() ? 'light' : 'dark';
  localStorage.setItem('tollgate-theme', root.dataset.theme);
  dispatchEvent(new Event('themechange'));
  drawTop();
  top.querySelector('#theme').focus();
}

const isDark = () =>
  (document.documentElement.dataset.theme ??
    (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';

async function logOut() {
  await api.logOut().catch(() => {});
  setSession({});
  location.hash = '#/';
  show();
}

function drawTop() {
  const home = isAdmin() || !session.org ? '#/' : `#/org/${encodeURIComponent(session.org)}`;
  top.replaceChildren(
    h(
      'a',
      { class: 'brand', href: home },
      h('img', { src: new URL('icon.svg', import.meta.url).pathname, alt: '', width: 26, height: 26 }),
      'Tollgate',
    ),
    session.role ? h('span', { class: 'who' }, isAdmin() ? 'Administrator' : session.org) : '',
    h('span', { class: 'grow' }),
    h(
      'button',
      { id: 'theme', type: 'button', class: 'quiet', onclick: chooseTheme },
      isDark() ? 'Light' : 'Dark',
      h('span', { class: 'visually-hidden' }, ' colours'),
    ),
    session.role ? h('button', { type: 'button', class: 'quiet', onclick: logOut }, 'Log out') : '',
  );
}

function viewOf({ parts, query }) {
  if (!session.role) return loginView(show);
  const [room, org, page, item] = parts;
  if (room === 'org' && org) {
    if (!isAdmin() && org !== session.org) {
      return () =>
        main.replaceChildren(
          h('h1', {}, 'Not yours'),
          emptyState(
            'This is not your organization.',
            h('a', { href: `#/org/${encodeURIComponent(session.org)}` }, 'Go to your own'),
          ),
        );
    }
    return orgView({ org, page: page ?? 'balance', item, query });
  }
  if (parts.length === 0) {
    if (isAdmin()) return overview;
    return orgView({ org: session.org, page: 'balance', query });
  }
  return () =>
    main.replaceChildren(
      h('h1', {}, 'Not found'),
      emptyState('No such page.', h('a', { href: '#/' }, 'To the start')),
    );
}

export async function show() {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  drawTop();
  try {
    await viewOf(readAddress())(main, signal);
  } catch (error) {
    if (signal.aborted || error.name === 'AbortError') return;
    main.replaceChildren(
      errorBox(error),
      h('p', {}, h('button', { type: 'button', onclick: show }, 'Try again')),
    );
  }
}

onSessionOver(() => {
  if (!session.role) return;
  setSession({});
  show();
  announce('Your session has ended. Please log in again.');
});

// The part of the address after the # selects the view, so this link needs a handler.
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});

addEventListener('hashchange', async () => {
  await show();
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
});

async function begin() {
  try {
    setSession(await api.session());
  } catch (error) {
    drawTop();
    main.replaceChildren(errorBox(error), h('button', { type: 'button', onclick: begin }, 'Try again'));
    return;
  }
  await show();
}
begin();
