// Receives Tollgate's webhooks and checks X-8bit-Signature-256, using only Node's standard library.
//
//     node receive.mjs PORT FILE
//
// FILE has one secret per line, as Tollgate shows them ("whsec_..."): one, or during a rotation the
// new and the old one. It is read for every delivery, so that a rotation needs no restart.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';

const [port, file] = process.argv.slice(2);

// The expected header for this body. The key is the secret's base64, decoded.
function sign(secret, body) {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;
}

// Compares for equality, in constant time: the header has a single signature.
function isSigned(header, body, secrets) {
  return secrets.some((secret) => {
    const [given, wanted] = [Buffer.from(header), Buffer.from(sign(secret, body))];
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  });
}

createServer(async (request, response) => {
  const body = await buffer(request);
  const secrets = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  const accepted = isSigned(request.headers['x-8bit-signature-256'] ?? '', body, secrets);
  console.log(accepted ? 'accepted' : 'refused', request.headers['webhook-id']);
  response.writeHead(accepted ? 204 : 401).end();
}).listen(Number(port), '127.0.0.1');
