// Where run.py put Tollgate and the sample upstream, and how the tests look at what happened.
import { File } from 'node:buffer';

// Node.js 18 has File, but not yet as a global; the SDKs ask for exactly this line there.
globalThis.File ??= File;

const need = (name) => {
  if (!process.env[name]) throw new Error(`${name} is not set: start these tests with run.py`);
  return process.env[name];
};

export const tollgate = need('TOLLGATE_URL');
export const upstream = need('UPSTREAM_URL');
export const richKey = need('RICH_KEY');
export const poorKey = need('POOR_KEY'); // has fewer credits than any model costs

export const audioKey = need('AUDIO_KEY'); // an account of its own, so that its charges can be told

// Counts the attempts that an SDK makes, whatever it does inside.
export function countingFetch() {
  const counting = (...request) => {
    counting.attempts += 1;
    return fetch(...request);
  };
  counting.attempts = 0;
  return counting;
}

export async function requestsAtUpstream() {
  return (await (await fetch(`${upstream}/sample/stats`)).json()).requests;
}
