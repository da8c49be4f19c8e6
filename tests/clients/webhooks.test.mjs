// What Tollgate delivers, verified by the library that receivers use.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import test from 'node:test';
import { Webhook } from 'standardwebhooks';

const org = 'hooked';

async function admin(method, path, body) {
  const answer = await fetch(`${process.env.ADMIN_URL}/orgs/${org}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${process.env.ADMIN_TOKEN}`,
      'content-type': 'application/json',
      ...(path === '/top_ups' && { 'idempotency-key': `pack-${(admin.packs += 1)}` }),
    },
    body: body && JSON.stringify(body),
  });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return (await answer.json()).data;
}
admin.packs = 0;

// Keeps what comes; `next` waits for one more.
async function receiver() {
  const got = [], waiting = [];
  const server = createServer((request, response) => {
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
      response.end();
      const delivery = { headers: request.headers, body: Buffer.concat(pieces).toString() };
      const taker = waiting.shift();
      if (taker) taker(delivery);
      else got.push(delivery);
    });
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const next = () => (got.length > 0 ? Promise.resolve(got.shift())
                                     : new Promise((taker) => waiting.push(taker)));
  return { url: `http://127.0.0.1:${server.address().port}/hook`, next, close: () => server.close() };
}

test('the published verifier accepts every delivery, and nothing else', { timeout: 30_000 }, async (t) => {
  const endpoint = await receiver();
  t.after(endpoint.close);
  await admin('PUT', '', { plan: 'starter' });
  const made = await admin('POST', '/webhooks', { url: endpoint.url, events: ['account.*'] });
  const verifier = new Webhook(made.secret);

  for (let number = 1; number <= 3; number += 1) {
    await admin('POST', '/top_ups', { amount_usd: 10 });
    const { headers, body } = await endpoint.next();
    const event = verifier.verify(body, headers);
    assert.equal(event.type, 'account.top_up_requested');
    assert.equal(event.org, org);
    assert.equal(event.id, headers['webhook-id']);
    assert.equal(event.data.top_up, `pack-${number}`);

    const key = Buffer.from(made.secret.slice('whsec_'.length), 'base64');
    assert.equal(headers['x-8bit-signature-256'],
                 `sha256=${createHmac('sha256', key).update(body).digest('hex')}`);

    assert.throws(() => verifier.verify(body.replace('10', '11'), headers));
    assert.throws(() => verifier.verify(body, { ...headers, 'webhook-id': 'evt_1-1' }));
    const other = new Webhook(`whsec_${Buffer.alloc(32, 7).toString('base64')}`);
    assert.throws(() => other.verify(body, headers));
  }

  // While one secret replaces the other, receivers may know either.
  const rotated = await admin('POST', `/webhooks/${made.id}/rotate`);
  await admin('POST', '/top_ups', { amount_usd: 10 });
  const { headers, body } = await endpoint.next();
  for (const secret of [made.secret, rotated.secret]) {
    assert.equal(new Webhook(secret).verify(body, headers).data.top_up, 'pack-4');
  }

  const sample = await admin('POST', `/webhooks/${made.id}/test`);
  assert.equal(sample.delivered, true);
  const received = await endpoint.next();
  assert.equal(new Webhook(rotated.secret).verify(received.body, received.headers).type, 'webhook.test');
});
