// Buys a pack by hand. The dialog makes the idempotency key once: one pack is bought, however often
// the button is pressed, also after a lost answer.
import { api } from './api.js';
import { openDialog } from './dialog.js';
import { announce, errorBox, field, h } from './dom.js';
import { credits, micro, readAmount, typed, usd, usdPrice } from './format.js';
import { statusBadge } from './status_badge.js';

const looks = 30; // polls for the payment, a second apart

const newKey = () =>
  'dashboard-' +
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

function wordsOf(quote, dollars) {
  if (quote === null) return `${usd(dollars)} are charged now.`; // the purchase itself reports the error
  if (quote.enough) return `${usd(dollars)} are charged now, and buy ${credits(quote.credits)} credits.`;
  if (quote.credits === null) return 'This is more than an account can hold.';
  return `The plan sells credits for at least ${usd(quote.minimum_usd)}.`;
}

export function buyDialog(org, details, done) {
  const price = details.terms?.overage_usd ?? '0',
    minimum = details.terms?.top_up_minimum_usd ?? '0';
  if (micro(price) === 0n) {
    openDialog('Buy credits', (close) => [
      h(
        'p',
        {},
        'The plan of this organization has no price per credit, so no credits can be bought. Change the plan, or grant credits.',
      ),
      h('div', { class: 'actions' }, h('button', { type: 'button', onclick: close }, 'Close')),
    ]);
    return;
  }
  const key = newKey();
  openDialog('Buy credits', (close) => {
    const amount = h('input', {
      type: 'text',
      inputmode: 'decimal',
      value: micro(minimum) > 0n ? typed(minimum) : '10',
      required: true,
      autocomplete: 'off',
    });
    const meaning = h('p', { 'aria-live': 'polite' });
    const message = h('div', { 'aria-live': 'polite' });
    const buy = h('button', { type: 'submit', class: 'primary' }, 'Buy');
    const tell = async () => {
      const dollars = readAmount(amount.value, 2);
      buy.disabled = true; // until the quote is known
      if (dollars === null) {
        meaning.textContent = `Enter an amount in dollars, like 25 or ${typed('25.50')}.`;
        return;
      }
      const quote = await api.quote(org, { amount_usd: dollars }).catch(() => null);
      if (readAmount(amount.value, 2) !== dollars) return; // the input has changed since
      buy.disabled = quote !== null && !quote.enough;
      meaning.textContent = wordsOf(quote, dollars);
    };
    amount.addEventListener('input', tell);
    tell();
    const submit = async (event) => {
      event.preventDefault();
      if (buy.disabled) return;
      buy.disabled = amount.readOnly = true; // one key belongs to one amount
      message.replaceChildren(h('p', {}, 'Requesting payment…'));
      try {
        const asked = await api.buy(org, readAmount(amount.value, 2), key);
        await follow(org, asked, message);
        await done();
      } catch (error) {
        message.replaceChildren(
          errorBox(error),
          h(
            'p',
            { class: 'hint' },
            'Pressing Buy again repeats the same purchase: it cannot be charged twice.',
          ),
        );
        buy.disabled = false;
        if (error.status === 400) amount.readOnly = false;
      }
    };
    return h(
      'form',
      { onsubmit: submit },
      field('Amount in US dollars', amount, `A credit costs ${usdPrice(price)}. At least ${usd(minimum)}.`),
      meaning,
      message,
      h('div', { class: 'actions' }, buy, h('button', { type: 'button', onclick: close }, 'Close')),
    );
  });
}

// Polls until the payment is decided, up to a limit.
async function follow(org, asked, message) {
  let now = asked;
  for (let look = 0; look < looks && message.isConnected; look += 1) {
    const { top_ups } = await api.topUps(org);
    now = top_ups.find((one) => one.id === asked.id) ?? now;
    if (now.status === 'paid' || now.status === 'declined') break;
    message.replaceChildren(
      h(
        'p',
        {},
        statusBadge(now.status),
        ' The credits come when the payment is confirmed. You may close this.',
      ),
    );
    await new Promise((wake) => {
      setTimeout(wake, 1000);
    });
  }
  if (now.status === 'paid') {
    message.replaceChildren(h('p', { class: 'good' }, `Paid: ${credits(now.credits)} credits were added.`));
    announce(`Paid: ${credits(now.credits)} credits were added.`);
  } else if (now.status === 'declined') {
    message.replaceChildren(
      errorBox({ message: 'The payment was declined. Nothing was charged and no credits were added.' }),
    );
  }
}
