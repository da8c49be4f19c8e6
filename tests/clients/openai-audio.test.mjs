// Audio by the second, through the official client. Text-to-speech costs 5 credits a minute and
// speech-to-text 3, by the second that has begun, half up at the sixth decimal: 7.25 s are 8, thus
// 0.666667 and 0.4.
import assert from 'node:assert/strict';
import test from 'node:test';
import OpenAI from 'openai';
import { costs, mp3, wav } from './audio.mjs';
import { audioKey, tollgate } from './support.mjs';

const client = new OpenAI({ apiKey: audioKey, baseURL: `${tollgate}/v1`, maxRetries: 0 });
const transcript = 'Hello from the sample upstream.';

// ---- text to speech ------------------------------------------------------------------------------

const formats = {
  mp3: { type: 'audio/mpeg', begins: [0xff, 0xf3], bytes: 303 * 480 }, // frames of 24 ms: 7.272 s
  opus: { type: 'audio/opus', begins: 'OggS' },
  aac: { type: 'audio/aac', begins: [0xff, 0xf1], bytes: 170 * 11 }, // of 1,024 samples: 7.253 s
  flac: { type: 'audio/flac', begins: 'fLaC' },
  wav: { type: 'audio/wav', begins: 'RIFF', bytes: 44 + 7.25 * 48_000 },
  pcm: { type: 'audio/pcm', begins: '', bytes: 7.25 * 48_000 },
};

function speak(fields, headers) {
  return client.audio.speech.create(
    { model: 'gpt-4o-mini-tts', voice: 'alloy', input: 'Hello, who is there?', ...fields },
    { headers: { 'x-sample-seconds': '7.25', ...headers } });
}

function check(format, type, audio) {
  assert.equal(type, formats[format].type);
  assert.equal(audio.indexOf(Buffer.from(formats[format].begins)), 0);
  if (formats[format].bytes) assert.equal(audio.length, formats[format].bytes);
}

async function collect(body) {
  const pieces = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}

for (const format of Object.keys(formats)) {
  test(`speech as ${format}`, () => costs(0.666667, audioKey, async () => {
    const response = await speak({ response_format: format });
    check(format, response.headers.get('content-type'), Buffer.from(await response.arrayBuffer()));
  }));

  test(`speech as ${format}, read while it is spoken`, () => costs(0.666667, audioKey, async () => {
    const response = await speak({ response_format: format },
      { 'x-sample-chunks': '20', 'x-sample-delay-ms': '5' });
    check(format, response.headers.get('content-type'), await collect(response.body));
  }));

  test(`speech as ${format}, in events`, () => costs(0.666667, audioKey, async () => {
    const response = await speak({ response_format: format, stream_format: 'sse' });
    assert.equal(response.headers.get('content-type'), 'text/event-stream');
    const events = (await response.text()).split('\n\n').filter(Boolean)
      .map((event) => JSON.parse(event.slice('data: '.length)));
    assert.equal(events.pop().type, 'speech.audio.done');
    const audio = events.map((event) => Buffer.from(event.audio, 'base64'));
    check(format, formats[format].type, Buffer.concat(audio));
  }));
}

test('speech is mp3 where nothing else is asked for', () => costs(0.666667, audioKey, async () => {
  const response = await speak({});
  check('mp3', response.headers.get('content-type'), Buffer.from(await response.arrayBuffer()));
}));

for (const [seconds, credits] of [[7, 0.583333], [7.0001, 0.666667], [0.5, 0.083333], [3_600, 300]]) {
  test(`${seconds} s of speech cost ${credits}`, () => costs(credits, audioKey, async () => {
    const response = await speak({ response_format: 'wav' }, { 'x-sample-seconds': `${seconds}` });
    const audio = await collect(response.body);
    assert.equal(audio.length, 44 + 2 * Math.round(seconds * 24_000));
  }));
}

test('speech that breaks off costs what came of it', () => costs(0.333333, audioKey, async () => {
  const response = await speak({ response_format: 'wav' }, {
    'x-sample-seconds': '8', // in eight pieces, four of which are sent
    'x-sample-break-after': '4',
    'x-sample-delay-ms': '50',
  });
  await assert.rejects(response.arrayBuffer());
}));

test('speech that the upstream refuses costs nothing', () => costs(0, audioKey, () =>
  assert.rejects(speak({ response_format: 'tape' }), OpenAI.BadRequestError)));

// ---- speech to text ------------------------------------------------------------------------------

const upload = (sound, name) => OpenAI.toFile(sound, name);
const sounds = {
  wav: { name: 'speech.wav', sound: wav(7.25) },
  mp3: { name: 'speech.mp3', sound: mp3(303) }, // 7.272 s
};
const answers = {
  text: `${transcript}\n`,
  srt: `1\n00:00:00,000 --> 00:00:01,500\n${transcript}\n\n`,
  vtt: `WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n${transcript}\n\n`,
};

for (const [kind, { name, sound }] of Object.entries(sounds)) {
  test(`a transcript of ${kind}`, () => costs(0.4, audioKey, async () => {
    const answer = await client.audio.transcriptions.create(
      { file: await upload(sound, name), model: 'whisper-1' });
    assert.equal(answer.text, transcript);
    assert.equal(answer.sample_file_bytes, sound.length);
  }));

  for (const [format, expected] of Object.entries(answers)) {
    test(`a transcript of ${kind} as ${format}`, () => costs(0.4, audioKey, async () => {
      const answer = await client.audio.transcriptions.create(
        { file: await upload(sound, name), model: 'whisper-1', response_format: format });
      assert.equal(answer, expected);
    }));
  }

  test(`a transcript of ${kind} with its times`, () => costs(0.4, audioKey, async () => {
    const answer = await client.audio.transcriptions.create({
      response_format: 'verbose_json', timestamp_granularities: ['segment'], model: 'whisper-1',
      file: await upload(sound, name),
    });
    assert.equal(answer.task, 'transcribe');
    assert.equal(answer.segments[0].text, transcript);
    assert.equal(answer.sample_file_bytes, sound.length);
  }));

  test(`a transcript of ${kind} in events`, () => costs(0.4, audioKey, async () => {
    const stream = await client.audio.transcriptions.create(
      { file: await upload(sound, name), model: 'gpt-4o-mini-transcribe', stream: true });
    const events = [];
    for await (const event of stream) events.push(event);
    const done = events.pop();
    assert.equal(done.type, 'transcript.text.done');
    assert.equal(events.map((event) => event.delta).join(''), done.text);
    assert.equal(done.sample_file_bytes, sound.length);
  }));

  test(`a translation of ${kind}`, () => costs(0.4, audioKey, async () => {
    const answer = await client.audio.translations.create({
      file: await upload(sound, name), model: 'whisper-1', response_format: 'verbose_json' });
    assert.equal(answer.task, 'translate');
  }));
}

for (const [seconds, credits] of [[3, 0.15], [3.0001, 0.2], [0.1, 0.05], [601.5, 30.1]]) {
  test(`a transcript of ${seconds} s costs ${credits}`, () => costs(credits, audioKey, async () => {
    const sound = wav(seconds);
    const answer = await client.audio.transcriptions.create(
      { file: await upload(sound, 'speech.wav'), model: 'whisper-1' });
    assert.equal(answer.sample_file_bytes, sound.length);
  }));
}

for (const format of ['mp3', 'opus', 'flac', 'wav']) {
  test(`what was spoken as ${format} can be transcribed`, async () => {
    const spoken = await speak({ response_format: format });
    const sound = Buffer.from(await spoken.arrayBuffer());
    await costs(0.4, audioKey, async () => {
      const answer = await client.audio.transcriptions.create(
        { file: await upload(sound, `spoken.${format}`), model: 'whisper-1' });
      assert.equal(answer.sample_file_bytes, sound.length);
    });
  });
}

test('a transcript that the upstream refuses costs nothing', () => costs(0, audioKey, async () => {
  const call = client.audio.transcriptions.create(
    { file: await upload(wav(7.25), 'speech.wav'), model: 'whisper-1', response_format: 'tape' });
  await assert.rejects(call, OpenAI.BadRequestError);
}));
