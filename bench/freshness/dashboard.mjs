// Watches the dashboard of one organization and writes down when its page showed which total: lines
// of "MILLISECONDS CREDITS". Ends when its standard input does.
import { chromium } from 'playwright-core';

const { CHROMIUM, ADMIN_URL, ADMIN_TOKEN, ORG } = process.env;
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
const page = await (await browser.newContext({ locale: 'en-US' })).newPage();
await page.goto(`${ADMIN_URL}/`);
await page.getByLabel('Admin token or API key').fill(ADMIN_TOKEN);
await page.getByRole('button', { name: 'Log in' }).click();
await page.getByRole('button', { name: 'Log out' }).waitFor();
await page.goto(`${ADMIN_URL}/#/org/${ORG}`);
await page.locator('#settled').waitFor();
await page.evaluate(() => {
  globalThis.seen = [];
  const note = () => {
    const text = document.getElementById('settled').textContent.replaceAll(',', '');
    globalThis.seen.push(`${Date.now()} ${text}`);
  };
  note();
  new MutationObserver(note).observe(document.querySelector('main'), {
    subtree: true,
    childList: true,
    characterData: true,
  });
});
console.log('ready');
process.stdin.resume();
await new Promise((done) => process.stdin.on('end', done));
console.log((await page.evaluate(() => globalThis.seen)).join('\n'));
await browser.close();
