// Every page, in every look. It shows the organizations that dashboard.test.mjs has left behind.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  admin,
  adminToken,
  call,
  checkAccessible,
  checkTables,
  checkWidth,
  checkWords,
  go,
  launch,
  logIn,
  screenshot,
  settled,
  watchedPage,
} from './support.mjs';

let browser, page;

before(async () => {
  browser = await launch();
  page = await watchedPage(browser);
  await logIn(page, adminToken);
});
after(() => browser?.close());

const pages = {
  overview: '#/',
  balance: '#/org/northwind',
  usage: '#/org/northwind/usage',
  agent: '#/org/northwind/usage?agent=support',
  ledger: '#/org/drill/ledger',
  statements: '#/org/drill/statements',
  'top-ups': '#/org/shop/top-ups',
  settings: '#/org/northwind/settings',
  'empty-usage': '#/org/umbrella/usage',
  'empty-top-ups': '#/org/umbrella/top-ups',
  missing: '#/nowhere',
};

for (const [look, options] of Object.entries({
  light: {},
  dark: { colorScheme: 'dark' },
  narrow: { viewport: { width: 360, height: 740 } },
  wide: { viewport: { width: 3840, height: 2160 } },
})) {
  test(`every page, ${look}: accessible, as wide as the window, and quiet`, async () => {
    const own = await watchedPage(browser, options);
    await logIn(own, adminToken);
    const { month } = (await call('GET', '/orgs/drill/statements')).statements.at(-1);
    for (const [name, address] of Object.entries({
      ...pages,
      statement: `#/org/drill/statements/${month}`,
    })) {
      if (look === 'wide' && !['overview', 'balance', 'usage'].includes(name)) continue;
      await own.goto(`${admin}/${address}`);
      await settled(own);
      await checkWords(own, `${name}, ${look}`);
      await checkWidth(own, `${name}, ${look}`);
      await checkTables(own, `${name}, ${look}`);
      if (look !== 'wide') await checkAccessible(own, `${name}, ${look}`);
      await screenshot(own, `${name}-${look}`);
    }
    assert.deepEqual(own.complaints, []);
    await own.context().close();
  });
}

test('a narrow overview can be sorted, too', async () => {
  const own = await watchedPage(browser, { viewport: { width: 360, height: 740 } });
  await logIn(own, adminToken);
  await go(own, '#/');
  await own.getByRole('button', { name: 'Organization' }).focus();
  await own.keyboard.press('Enter');
  assert.equal(await own.getByRole('rowheader').first().textContent(), 'watched');
  await own.context().close();
});

test('the switch turns the page dark, and it stays so', async () => {
  await go(page, '#/org/northwind');
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.getByRole('button', { name: /colours/ }).click();
  const dark = await ground();
  assert.notEqual(dark, light);
  await page.reload();
  await settled(page);
  assert.equal(await ground(), dark);
});

test('by keyboard alone: skip, choose a page, open and leave a dialog', async () => {
  await go(page, '#/org/live');
  await page.reload();
  await page.locator('#available').waitFor();
  await page.locator('body').focus();
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id + location.hash), 'main#/org/live');
  await page.getByRole('button', { name: 'Buy credits' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'INPUT');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Buy credits');
  await page.getByRole('link', { name: 'Top-ups' }).focus();
  await page.keyboard.press('Enter');
  await page.getByText('Nothing was bought yet.').waitFor();
});
