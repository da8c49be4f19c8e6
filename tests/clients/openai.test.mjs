import assert from 'node:assert/strict';
import test from 'node:test';
import OpenAI from 'openai';
import { countingFetch, poorKey, requestsAtUpstream, richKey, tollgate } from './support.mjs';

const connect = (apiKey, more) => new OpenAI({ apiKey, baseURL: `${tollgate}/v1`, ...more });
const client = connect(richKey);
const messages = [{ role: 'user', content: 'Say hello.' }];

test('chat', async () => {
  const { data, response } = await client.chat.completions
    .create({ model: 'gpt-4', messages }).withResponse();
  assert.equal(data.choices[0].message.content, 'Hello from the sample upstream.');
  assert.equal(response.headers.get('x-credits-charged'), '10');
  assert.match(response.headers.get('x-credits-remaining'), /^\d+(\.\d+)?$/);
  assert.ok(response.headers.get('x-request-id'));
});

async function read(stream) {
  const words = [];
  for await (const chunk of stream) words.push(chunk.choices[0].delta.content ?? '');
  return words.join('').trim().split(' ');
}

test('streamed chat', async () => {
  const stream = await client.chat.completions.create({ model: 'gpt-4', messages, stream: true });
  assert.deepEqual(await read(stream), [0, 1, 2, 3, 4, 5, 6, 7].map((i) => `word${i}`));
});

test('a long stream', async () => {
  const stream = await client.chat.completions.create(
    { model: 'gpt-3.5-turbo', messages, stream: true },
    { headers: { 'x-sample-chunks': '2000', 'x-sample-delay-ms': '2' } });
  const words = await read(stream);
  assert.equal(words.length, 2000);
  assert.equal(words[1999], 'word1999');
});

test('an upload', async () => {
  const size = 5 * 1024 * 1024;
  const file = await OpenAI.toFile(Buffer.alloc(size, 'a'), 'five-mebibytes.jsonl');
  const uploaded = await client.files.create({ file, purpose: 'batch' });
  // The sample upstream counts the whole body: the file and a little multipart around it.
  assert.ok(uploaded.bytes >= size && uploaded.bytes < size + 2_000, `${uploaded.bytes} bytes`);
});

test('a list', async () => {
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  assert.deepEqual(ids, ['gpt-4', 'gpt-3.5-turbo', 'claude-sonnet-4']);
});

test('what the shipped configuration gives no price is not found', async () => {
  await assert.rejects(client.embeddings.create({ model: 'text-embedding-3-small', input: 'a' }),
    OpenAI.NotFoundError);
});

for (const stream of [false, true]) {
  test(`out of credits${stream ? ', streamed' : ''}: a typed error at once, without a retry`, async () => {
    const counted = countingFetch();
    const reached = await requestsAtUpstream();
    const started = performance.now();
    const error = await connect(poorKey, { fetch: counted }).chat.completions
      .create({ model: 'gpt-4', messages, stream }).then(() => assert.fail('was not refused'), (e) => e);
    const took = performance.now() - started;

    assert.ok(error instanceof OpenAI.APIError, String(error));
    assert.equal(error.status, 402);
    assert.equal(error.code, 'insufficient_credits');
    assert.equal(error.type, 'insufficient_quota');
    assert.match(error.message, /credits/);
    assert.match(error.message, /10/); // what it costs ...
    assert.match(error.message, /0\.5/); // ... and what is there
    assert.equal(counted.attempts, 1);
    assert.equal(await requestsAtUpstream(), reached);
    assert.ok(took < 5_000, `took ${took} ms`); // as there was no retry, nothing slept
    console.log(`${error.constructor.name}: ${error.message}`);
  });
}

test('a wrong key raises the authentication error', async () => {
  await assert.rejects(connect('tg_nobody').models.list(), OpenAI.AuthenticationError);
});
