import assert from 'node:assert/strict';
import test from 'node:test';
import Anthropic, { toFile } from '@anthropic-ai/sdk';
import { countingFetch, poorKey, requestsAtUpstream, richKey, tollgate } from './support.mjs';

const connect = (apiKey, more) => new Anthropic({ apiKey, baseURL: tollgate, ...more });
const client = connect(richKey);
const call = {
  model: 'claude-sonnet-4',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Say hello.' }],
};

test('a message', async () => {
  const { data, response } = await client.messages.create(call).withResponse();
  assert.equal(data.content[0].text, 'Hello from the sample upstream.');
  assert.equal(response.headers.get('x-credits-charged'), '8');
});

test('a streamed message', async () => {
  const message = await client.messages.stream(call).finalMessage();
  assert.equal(message.content[0].text, [0, 1, 2, 3, 4, 5, 6, 7].map((i) => `word${i} `).join(''));
  assert.equal(message.stop_reason, 'end_turn');
});

test('a long stream', async () => {
  const stream = await client.messages.create(
    { ...call, stream: true },
    { headers: { 'x-sample-chunks': '2000', 'x-sample-delay-ms': '2' } });
  let deltas = 0;
  for await (const event of stream) deltas += event.type === 'content_block_delta';
  assert.equal(deltas, 2000);
});

test('an upload', async () => {
  const size = 5 * 1024 * 1024;
  const uploaded = await client.beta.files.upload({
    file: await toFile(Buffer.alloc(size, 'a'), 'five-mebibytes.txt', { type: 'text/plain' }),
  });
  assert.ok(uploaded.bytes >= size && uploaded.bytes < size + 2_000, `${uploaded.bytes} bytes`);
});

test('a list', async () => {
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  assert.deepEqual(ids, ['gpt-4', 'gpt-3.5-turbo', 'claude-sonnet-4']);
});

test('counting tokens', async () => {
  const { model, messages } = call;
  assert.equal((await client.messages.countTokens({ model, messages })).input_tokens, 9);
});

for (const stream of [false, true]) {
  test(`out of credits${stream ? ', streamed' : ''}: a typed error at once, without a retry`, async () => {
    const counted = countingFetch();
    const reached = await requestsAtUpstream();
    const started = performance.now();
    const error = await connect(poorKey, { fetch: counted }).messages
      .create({ ...call, stream }).then(() => assert.fail('was not refused'), (e) => e);
    const took = performance.now() - started;

    assert.ok(error instanceof Anthropic.APIError, String(error));
    assert.equal(error.status, 402);
    assert.equal(error.error.error.type, 'billing_error');
    assert.equal(error.error.error.code, 'insufficient_credits');
    assert.match(error.message, /credits/);
    assert.match(error.message, /8/); // what it costs ...
    assert.match(error.message, /0\.5/); // ... and what is there
    assert.equal(counted.attempts, 1);
    assert.equal(await requestsAtUpstream(), reached);
    assert.ok(took < 5_000, `took ${took} ms`); // as there was no retry, nothing slept
    console.log(`${error.constructor.name}: ${error.message}`);
  });
}

test('a wrong key raises the authentication error', async () => {
  await assert.rejects(connect('tg_nobody').models.list(), Anthropic.AuthenticationError);
});
