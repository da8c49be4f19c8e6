// Logs in with the admin token or an API key.
import { api } from './api.js';
import { errorBox, field, h } from './dom.js';
import { setSession } from './session.js';

export const loginView = (done) => (main) => {
  document.title = 'Log in · Tollgate';
  const secret = h('input', {
    type: 'password',
    name: 'secret',
    autocomplete: 'current-password',
    required: true,
    spellcheck: 'false',
  });
  const message = h('div');
  const button = h('button', { type: 'submit', class: 'primary' }, 'Log in');
  const submit = async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    message.replaceChildren();
    try {
      setSession(await api.logIn(secret.value.trim()));
      await done();
    } catch (error) {
      message.replaceChildren(errorBox(error));
      button.disabled = false;
      secret.select();
    }
  };
  main.replaceChildren(
    h(
      'form',
      { class: 'card login', onsubmit: submit },
      h('h1', {}, 'Log in'),
      field(
        'Admin token or API key',
        secret,
        'The admin token shows every organization. An API key shows its own organization, read-only.',
      ),
      message,
      button,
      location.protocol === 'http:' &&
        !['localhost', '127.0.0.1', '[::1]'].includes(location.hostname) &&
        h(
          'p',
          { class: 'warning' },
          'This page was loaded without TLS: others may read what you enter. Use an SSH tunnel or a proxy with TLS.',
        ),
    ),
  );
  secret.focus();
};
