// Stripe's events, signed by Stripe's own library, at the data listener.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import Stripe from 'stripe';

const need = (name) => {
  if (!process.env[name]) throw new Error(`${name} is not set: start these tests with run.py`);
  return process.env[name];
};
const data = need('SELLER_URL');
const secret = need('STRIPE_WEBHOOK_SECRET');
const org = 'stripe-events';
const stripe = new Stripe('sk_test_123');

async function admin(method, path, body) {
  const reply = await fetch(`${need('SELLER_ADMIN_URL')}/orgs/${org}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${need('ADMIN_TOKEN')}`, 'content-type': 'application/json', 'idempotency-key': 'pack-1',
    },
    body: body && JSON.stringify(body),
  });
  assert.ok(reply.ok, `${method} ${path}: ${reply.status}`);
  return (await reply.json()).data;
}

const intent = {
  id: 'pi_1', object: 'payment_intent', amount: 1000, amount_received: 1000, currency: 'usd', status: 'succeeded',
  metadata: { tollgate_org: org, tollgate_top_up: 'pack-1' },
};
const event = (id, type, object) => JSON.stringify({ id, object: 'event', type, data: { object } });

const sign = (payload, more = {}) => stripe.webhooks.generateTestHeaderString({ payload, secret, ...more });
const tell = (body, signature) => fetch(`${data}/payments/stripe`, {
  method: 'POST', headers: { 'stripe-signature': signature, 'content-type': 'application/json' }, body,
});
const pack = async () => (await admin('GET', '/top_ups')).top_ups.find((each) => each.id === 'pack-1');

test('events that the library has signed are believed, and no others', { timeout: 60_000 }, async () => {
  // Its payments stay under way until somebody says more.
  await admin('PUT', '', { plan: 'starter', stripe_customer: 'cus_pending' });
  await admin('POST', '/top_ups', { amount_usd: 10 });
  while ((await pack()).status !== 'pending') await setTimeout(50);
  const paid = event('evt_1', 'payment_intent.succeeded', intent);

  const now = Math.floor(Date.now() / 1000);
  for (const signature of [sign(paid, { secret: 'whsec_other' }), sign(paid, { timestamp: now - 301 }),
    sign(`${paid} `), sign(paid, { scheme: 'v0' }), 't=1', 'none']) {
    const refused = await tell(paid, signature);
    assert.equal(refused.status, 400, signature);
    assert.equal((await refused.json()).error.code, 'invalid_signature');
  }
  assert.equal((await pack()).status, 'pending');

  // What Tollgate believes, the library does, too.
  assert.equal(stripe.webhooks.constructEvent(paid, sign(paid), secret).id, 'evt_1');
  for (let repeated = 0; repeated < 2; repeated += 1) {
    assert.equal((await tell(paid, sign(paid, { timestamp: now - 290 }))).status, 200);
  }
  assert.equal((await pack()).status, 'paid');

  const refund = event('evt_2', 'charge.refunded', {
    id: 'ch_1', object: 'charge', amount: 1000, amount_refunded: 500, currency: 'usd', payment_intent: 'pi_1',
    metadata: intent.metadata,
  });
  assert.equal((await tell(refund, sign(refund))).status, 200);
  const refunded = await pack();
  assert.equal(refunded.taken_back, refunded.credits / 2);

  const unknown = event('evt_3', 'customer.subscription.updated', { id: 'sub_1', object: 'subscription' });
  assert.equal((await tell(unknown, sign(unknown))).status, 200);
});
