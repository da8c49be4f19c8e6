// What readers written in JavaScript make of a body. See ../README.md for the protocol.
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import bodyParser from 'body-parser';
import busboy from 'busboy';
import { formidable } from 'formidable';
import multer from 'multer';

const hex = bytes => Buffer.from(bytes).toString('hex');

function request(type, body) {
  const stream = Readable.from([body], { objectMode: false });
  return Object.assign(stream, {
    method: 'POST', url: '/', httpVersion: '1.1',
    headers: { 'content-type': type, 'content-length': String(body.length) },
  });
}

// --- JSON

function described(value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { model: null, queries: -1, n: null, best_of: null };
  const number = name => (typeof value[name] === 'number' ? Math.min(value[name], 1e9) : null);
  const { model, queries } = value;
  const size = typeof queries === 'object' && queries !== null ? Object.keys(queries).length : -1;
  return { model: typeof model === 'string' ? hex(model) : null, queries: size,
    n: number('n'), best_of: number('best_of') };
}

const json = {
  parse: async (type, body) => described(JSON.parse(body.toString())),
  copied: async (type, body) => described(Object.assign({}, JSON.parse(body.toString()))),
  fetch: async (type, body) =>
    described(await new Response(body, { headers: { 'content-type': type } }).json()),
  'body-parser': (type, body) => new Promise((resolve, reject) => {
    const from = request(type, body);
    bodyParser.json()(from, {}, error => (error ? reject(error) : resolve(described(from.body))));
  }),
};

// --- forms: every value of the field `file`

function withBusboy(type, body) {
  return new Promise((resolve, reject) => {
    const found = [];
    const reader = busboy({ headers: { 'content-type': type } });
    reader.on('file', (name, stream) => {
      const pieces = [];
      stream.on('data', piece => pieces.push(piece));
      stream.on('error', reject);
      stream.on('end', () => name === 'file' && found.push(hex(Buffer.concat(pieces))));
    });
    reader.on('field', (name, value) => name === 'file' && found.push(hex(value)));
    reader.on('error', reject);
    reader.on('close', () => resolve({ file: found }));
    reader.end(body);
  });
}

function withMulter(type, body) {
  return new Promise((resolve, reject) => {
    const from = request(type, body);
    multer({ storage: multer.memoryStorage() }).any()(from, {}, error => {
      if (error) return reject(error);
      const files = from.files.filter(each => each.fieldname === 'file').map(each => hex(each.buffer));
      const text = from.body?.file;
      resolve({ file: [...files, ...[text ?? []].flat().map(each => hex(String(each)))] });
    });
  });
}

async function withFormidable(type, body) {
  const reader = formidable({ allowEmptyFiles: true, minFileSize: 0 });
  const [fields, files] = await reader.parse(request(type, body));
  const contents = await Promise.all((files.file ?? []).map(each => readFile(each.filepath)));
  return { file: [...contents.map(hex), ...(fields.file ?? []).map(hex)] };
}

async function withFetch(type, body) {
  const form = await new Response(body, { headers: { 'content-type': type } }).formData();
  const values = form.getAll('file');
  const bytes = values.map(async each =>
    hex(typeof each === 'string' ? each : Buffer.from(await each.arrayBuffer())));
  return { file: await Promise.all(bytes) };
}

const form = { busboy: withBusboy, multer: withMulter, formidable: withFormidable, fetch: withFetch };

// --- cases

async function* blocks() {
  let kept = Buffer.alloc(0);
  for await (const piece of process.stdin) {
    kept = kept.length ? Buffer.concat([kept, piece]) : piece;
    while (kept.length >= 4 && kept.length >= 4 + kept.readUInt32BE(0)) {
      const end = 4 + kept.readUInt32BE(0);
      yield kept.subarray(4, end);
      kept = kept.subarray(end);
    }
  }
}

// A reader that refuses a body, or never ends, reads nothing in it.
async function read(reader, type, body) {
  let timer;
  const patience = new Promise(resolve => { timer = setTimeout(() => resolve(null), 2000); });
  const outcome = await Promise.race([reader(type, body).catch(() => null), patience]);
  clearTimeout(timer);
  return outcome;
}

process.on('uncaughtException', () => {});
const readers = { json, form };
const cases = blocks();
for (;;) {
  const kind = await cases.next();
  if (kind.done) break;
  const type = (await cases.next()).value.toString('latin1');
  const body = Buffer.from((await cases.next()).value);
  const out = {};
  for (const [name, reader] of Object.entries(readers[kind.value.toString()]))
    out[name] = await read(async (...of) => reader(...of), type, body);
  process.stdout.write(`${JSON.stringify(out)}\n`);
}
process.exit(0);
