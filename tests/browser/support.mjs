// A browser that is watched: what its console says, what it asks for, and how accessible it is.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const need = (name) => {
  if (!process.env[name]) throw new Error(`${name} is not set: start these tests with run.py`);
  return process.env[name];
};

export const tollgate = need('TOLLGATE_URL');
export const admin = need('ADMIN_URL');
export const adminToken = need('ADMIN_TOKEN');
const screenshots = need('SCREENSHOTS');
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const launch = () =>
  chromium.launch({ executablePath: need('CHROMIUM'), args: ['--no-sandbox', '--disable-gpu'] });

// The API behind the dashboard's back, by the admin token.
export async function call(method, path, body, headers = {}) {
  const response = await fetch(`${admin}/admin/v1${path}`, {
    method,
    body: body && JSON.stringify(body),
    headers: {
      Authorization: `Bearer ${adminToken}`,
      ...(body && { 'Content-Type': 'application/json' }),
      ...headers,
    },
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return headers.Accept === 'text/csv' ? text : JSON.parse(text).data;
}

export async function customer(org, settings = { plan: 'starter' }) {
  await call('PUT', `/orgs/${org}`, settings);
  return (await call('POST', `/orgs/${org}/keys`, {})).key;
}

// `agent` or `conversation` null: the call does not say.
export async function chat(key, { model = 'gpt-4', agent = 'a1', conversation = 'c1' } = {}) {
  const response = await fetch(`${tollgate}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${key}`,
      'Content-Type': 'application/json',
      ...(agent && { 'X-Agent-Id': agent }),
      ...(conversation && { 'X-Conversation-Id': conversation }),
    },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] }),
  });
  return { status: response.status, body: await response.json() };
}

// A page whose every request and complaint is remembered; axe gets in past the page's own policy.
export async function watchedPage(browser, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    locale: 'en-US',
    timezoneId: 'UTC',
    acceptDownloads: true,
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.complaints = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) page.complaints.push(message.text());
  });
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${admin}/`) && !url.startsWith('data:') && !url.startsWith(`blob:${admin}/`))
      page.complaints.push(`asked for ${url}`);
  });
  return page;
}

export async function logIn(page, secret) {
  await page.goto(`${admin}/`);
  await page.getByLabel('Admin token or API key').fill(secret);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('button', { name: 'Log out' }).waitFor();
}

export async function go(page, address) {
  await page.goto(`${admin}/${address}`);
  await settled(page);
}

// Confirms a review. The words "Saved." may be those of the time before.
export async function save(page) {
  const [answer] = await Promise.all([
    page.waitForResponse((one) => one.request().method() === 'PUT'),
    page.getByRole('dialog').getByRole('button', { name: 'Save' }).click(),
  ]);
  assert.ok(answer.ok());
  await page.getByText('Saved.').first().waitFor();
}

// Nothing is loading, and the charts have been drawn.
export async function settled(page) {
  await page.waitForFunction(
    () =>
      document.querySelector('main h1') &&
      ![...document.querySelectorAll('main .muted')].some((one) => /Loading|^…$/.test(one.textContent)),
  );
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

export async function checkAccessible(page, where) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, { resultTypes: ['violations'] }),
  );
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  assert.deepEqual(
    grave.map(
      ({ id, nodes }) =>
        `${where}: ${id}: ${nodes
          .map((node) => node.html)
          .slice(0, 3)
          .join(' | ')}`,
    ),
    [],
  );
}

// What JavaScript says where nobody thought of it.
export async function checkWords(page, where) {
  const text = await page.locator('body').innerText();
  assert.doesNotMatch(text, /\b(null|undefined|NaN|true|false)\b|\[object/, where);
}

export async function checkWidth(page, where) {
  const [content, view] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  assert.ok(content <= view, `${where}: ${content} px wide in a window of ${view}`);
}

// An amount that only scrolling sideways would show is not shown.
export async function checkTables(page, where) {
  const cut = await page.evaluate(() =>
    [...document.querySelectorAll('main .scroll')]
      .filter((one) => one.scrollWidth > one.clientWidth)
      .map((one) => one.getAttribute('aria-label')),
  );
  assert.deepEqual(cut, [], where);
}

export const screenshot = (page, name, fullPage = true) =>
  page.screenshot({ path: `${screenshots}/${name}.png`, fullPage });
