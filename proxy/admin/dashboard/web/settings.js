// Billing settings. The page describes a change in words before it saves it.
import { alertsEditor } from './alerts.js';
import { decimal } from './amount_input.js';
import { api } from './api.js';
import { openDialog } from './dialog.js';
import { announce, errorBox, field, h, section } from './dom.js';
import { credits, day, micro, typed, usd, usdPrice } from './format.js';
import { limitsEditor } from './limits.js';
import { changesOf } from './meaning.js';

const checkbox = (label, checked, onchange) => {
  const input = h('input', { type: 'checkbox', checked, onchange });
  input.checked = checked;
  return { input, element: h('label', { class: 'check' }, input, ' ', label) };
};
const amountInput = (value) =>
  h('input', { type: 'text', inputmode: 'decimal', value: typed(value), autocomplete: 'off' });

export async function settingsPage(place, context) {
  const [org, balance] = await Promise.all([context.details(), api.balance(context.org)]);
  if (context.signal.aborted) return;
  draw(place, { ...org, balance }, context);
}

function draw(place, org, context) {
  const form = controls(org);
  const message = h('div', { 'aria-live': 'polite' });
  const review = async (event) => {
    event.preventDefault();
    message.replaceChildren();
    let changes;
    try {
      changes = await changesOf(org, form.read(), (asked) => api.quote(org.id, asked));
    } catch (error) {
      message.replaceChildren(errorBox(error));
      return;
    }
    if (changes.sentences.length === 0) {
      message.replaceChildren(h('p', {}, 'No changes.'));
      return;
    }
    confirm(org, changes, (saved) => {
      draw(place, { ...saved, balance: org.balance }, context);
      place.querySelector('.saved').textContent = 'Saved.';
      announce('Saved.');
    });
  };
  place.replaceChildren(
    h(
      'form',
      { class: 'settings', onsubmit: review, novalidate: true },
      h('p', { class: 'saved good', role: 'status' }),

      h(
        'div',
        { class: 'two' },
        h('div', { class: 'page' }, planSection(org), form.topUp),
        h('div', { class: 'page' }, form.beyond, form.alerts, form.limits),
      ),
      message,
      h('div', { class: 'actions' }, h('button', { type: 'submit', class: 'primary' }, 'Review changes')),
    ),
  );
}

function planSection(org) {
  const terms = org.terms ?? {};
  const change = org.plan_change;
  return section(
    'Plan',
    h(
      'p',
      {},
      org.plan
        ? `${org.plan}: ${credits(terms.credits)} credits a cycle`
        : 'No plan: credits come from grants only.',
      terms.overage_usd && micro(terms.overage_usd) > 0n
        ? `, ${usdPrice(terms.overage_usd)} for each credit beyond them.`
        : '',
      change ? ` From ${day(change.at)} (UTC) on: ${change.plan ?? 'no plan'}.` : '',
    ),
    h(
      'p',
      { class: 'hint' },
      'The plan is changed from a shell: ',
      h('code', {}, `tollgate org set ${org.id} --plan pro`),
    ),
  );
}

function controls(org) {
  const minimum = org.terms?.top_up_minimum_usd ?? '0';
  const overage = checkbox('Continue calls when the credits are used up', org.overage);
  const capped = checkbox('Limit the spending', org.spend_cap_usd !== null, () => {
    cap.disabled = !capped.input.checked;
  });
  const cap = amountInput(org.spend_cap_usd);
  cap.disabled = !capped.input.checked;
  const rule = org.auto_top_up;
  const automatic = checkbox('Buy credits automatically', rule !== null, () => {
    threshold.disabled = amount.disabled = fill.input.disabled = !automatic.input.checked;
  });
  const threshold = amountInput(rule?.threshold_credits);
  const amount = amountInput(rule?.amount_usd ?? (micro(minimum) > 0n ? minimum : ''));
  const fill = checkbox('In one purchase, up to the threshold', rule?.fill ?? false);
  threshold.disabled = amount.disabled = fill.input.disabled = !automatic.input.checked;
  const editor = limitsEditor(org.limits);
  const beyond = section(
    'Beyond the plan',
    overage.element,
    h(
      'p',
      { class: 'hint' },
      'Each credit used beyond the balance costs the plan’s price and is billed at the end of the cycle.',
    ),
    capped.element,
    field(
      'Maximum in US dollars per cycle',
      cap,
      'Overage and automatic top-ups count together. When it is reached, calls that are not critical are refused.',
    ),
  );
  const topUp = section(
    'Automatic top-up',
    automatic.element,
    field('When available credits fall below', threshold),
    field('Amount in US dollars per purchase', amount, `At least ${usd(minimum)}. Repeated while the balance stays below the threshold.`),
    fill.element,
  );
  const alerting = alertsEditor(org.alerts);
  const alerts = section(
    'Alerts',
    h(
      'p',
      { class: 'hint' },
      'Each fires once a cycle, when usage reaches it, and again after new credits: here, and as an event.',
    ),
    alerting.element,
  );
  const limits = section(
    'Limits',
    h(
      'p',
      { class: 'hint' },
      'The most that one agent, conversation or API key may use. An asterisk means each by itself.',
    ),
    editor.element,
  );
  const read = () => ({
    overage: overage.input.checked,
    spend_cap_usd: capped.input.checked ? decimal(cap, 'The spend cap', 2) : null,
    auto_top_up: automatic.input.checked
      ? {
          threshold_credits: decimal(threshold, 'The threshold', 6),
          amount_usd: atLeast(decimal(amount, 'The top-up', 2), minimum),
          fill: fill.input.checked,
        }
      : null,
    alerts: alerting.read(),
    limits: editor.read(),
  });
  return { beyond, topUp, alerts, limits, read };
}

function atLeast(amount, minimum) {
  if (micro(amount) >= micro(minimum) && micro(amount) > 0n) return amount;
  throw new Error(`The plan sells credits for at least ${usd(minimum)}.`);
}

function confirm(org, { sentences, body }, done) {
  openDialog('What this changes', (close) => {
    const message = h('div');
    const save = h('button', { type: 'button', class: 'primary' }, 'Save');
    save.addEventListener('click', async () => {
      save.disabled = true;
      try {
        const saved = await api.putOrg(org.id, body);
        close();
        done(saved);
      } catch (error) {
        message.replaceChildren(errorBox(error));
        save.disabled = false;
      }
    });
    return [
      h(
        'ul',
        {},
        sentences.map((one) => h('li', {}, one)),
      ),
      message,
      h('div', { class: 'actions' }, save, h('button', { type: 'button', onclick: close }, 'Back')),
    ];
  });
}
