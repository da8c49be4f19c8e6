// Formats amounts and dates for the user's locale. Amounts are decimal strings, which Intl formats
// exactly.
const locale = navigator.languages?.length ? [...navigator.languages] : undefined;
const number = (options) => new Intl.NumberFormat(locale, options);

const exact = number({ maximumFractionDigits: 6 });
const rounded = number({ maximumFractionDigits: 2 });
const whole = number({ maximumFractionDigits: 0 });
const compact = number({ notation: 'compact', maximumFractionDigits: 1 });
const dollars = number({ style: 'currency', currency: 'USD' });
const price = number({ style: 'currency', currency: 'USD', maximumFractionDigits: 6 });
const percentage = number({ style: 'percent', maximumFractionDigits: 1 });

export const credits = (text) => exact.format(text ?? 0);
// Estimates have no decimals.
export const wholeCredits = (text) => exact.format(String(text ?? 0).split('.')[0]);
export const shortCredits = (value) => rounded.format(value ?? 0);
export const count = (text) => whole.format(text ?? 0);
export const axis = (value) => compact.format(value);
export const usd = (text) => dollars.format(text ?? 0);
export const usdPrice = (text) => price.format(text ?? 0);
export const percent = (ratio) => percentage.format(ratio);
export const signed = (text) => number({ maximumFractionDigits: 6, signDisplay: 'exceptZero' }).format(text);

// The locale's decimal separator, and an amount as the user would type it.
const point = exact.formatToParts('1.5').find((part) => part.type === 'decimal').value;
export const typed = (text) => String(text ?? '').replace('.', point);
// Converts a typed amount to the API's format; null if it is not an amount, or ambiguous. If the
// locale's decimal separator is a comma, a point is accepted, too, except before three digits: it
// may mean thousands.
export function readAmount(text, places) {
  const [, whole, mark, part = ''] = /^(\d{1,15})(?:([.,\u066b])(\d+))?$/.exec(text.trim()) ?? [];
  if (whole === undefined || part.length > places) return null;
  if (mark && mark !== point && (mark !== '.' || part.length === 3)) return null;
  return mark ? `${whole}.${part}` : whole;
}

const when = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium' });
const shortWhen = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
// Cycles and days of usage begin at midnight UTC, in every locale.
const utcDay = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC' });
const utcShortDay = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', timeZone: 'UTC' });
const utcMonth = new Intl.DateTimeFormat(locale, { month: 'long', year: 'numeric', timeZone: 'UTC' });

const localDay = new Intl.DateTimeFormat(locale, { dateStyle: 'medium' });

export const date = (text) => localDay.format(new Date(text));
export const time = (text) => (text ? when.format(new Date(text)) : '–');
const ofDay = new Intl.DateTimeFormat(locale, { timeStyle: 'medium' });
export const clock = (text) => ofDay.format(new Date(text));
export const minute = (text) => (text ? shortWhen.format(new Date(text)) : '–');
export const day = (text) => (text ? utcDay.format(new Date(text)) : '–');
export const shortDay = (text) => utcShortDay.format(new Date(text));
export const month = (text) => utcMonth.format(new Date(`${text}-01T00:00:00Z`));

// "0.1" -> 100000n, and back: sums without rounding.
export function micro(text) {
  const [, sign, digits, part = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(String(text));
  const value = BigInt(digits) * 1_000_000n + BigInt((part + '000000').slice(0, 6));
  return sign ? -value : value;
}
export function fromMicro(value) {
  const [sign, positive] = value < 0n ? ['-', -value] : ['', value];
  const part = String(positive % 1_000_000n)
    .padStart(6, '0')
    .replace(/0+$/, '');
  return `${sign}${positive / 1_000_000n}${part && '.' + part}`;
}
export const sum = (texts) => fromMicro(texts.reduce((total, text) => total + micro(text), 0n));

const kinds = {
  allocation: 'Plan',
  plan: 'Plan',
  rollover: 'Rolled over',
  purchase: 'Purchase',
  top_up: 'Top-up',
  promotion: 'Promotion',
  correction: 'Correction',
};
export const kind = (text) => kinds[text] ?? text ?? '–';
