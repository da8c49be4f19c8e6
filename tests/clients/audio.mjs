// Sound that is made here, and what the account says it cost.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { tollgate } from './support.mjs';

// A WAV of 16 kHz, mono, 16 bit: a buzz that swells and fades.
export function wav(seconds) {
  const rate = 16_000;
  const samples = Math.round(seconds * rate);
  const sound = new Int16Array(samples).map((_, i) => 30 * (i % 80) * Math.sin(i / 4_000));
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + 2 * samples, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16); // size of this chunk
  head.writeUInt16LE(1, 20); // PCM
  head.writeUInt16LE(1, 22); // channels
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(2 * rate, 28);
  head.writeUInt16LE(2, 32); // bytes a frame
  head.writeUInt16LE(16, 34); // bits a sample
  head.write('data', 36);
  head.writeUInt32LE(2 * samples, 40);
  return Buffer.concat([head, Buffer.from(sound.buffer)]);
}

// Silent frames of MPEG-1 layer III: 128 kbit/s at 48 kHz, mono, 24 ms each.
export function mp3(frames) {
  const frame = Buffer.alloc(384);
  frame.writeUInt32BE(0xfffb94c4);
  return Buffer.concat(Array(frames).fill(frame));
}

const micro = (credits) => Math.round(credits * 1e6);

// An answer may be read to its end before it is settled, which happens beside the stream.
async function settledBalance(key) {
  const deadline = performance.now() + 5_000;
  for (;;) {
    const response = await fetch(`${tollgate}/v1/billing/balance`,
      { headers: { authorization: `Bearer ${key}` } });
    assert.equal(response.status, 200);
    const { data } = await response.json();
    if (data.held === 0) return data;
    assert.ok(performance.now() < deadline, `still held: ${data.held}`);
    await sleep(20);
  }
}

// Does the work, and expects that it costs exactly so many credits.
export async function costs(credits, key, work) {
  const before = await settledBalance(key);
  const result = await work();
  const after = await settledBalance(key);
  assert.equal((micro(before.available) - micro(after.available)) / 1e6, credits);
  assert.equal((micro(after.settled) - micro(before.settled)) / 1e6, credits);
  return result;
}
