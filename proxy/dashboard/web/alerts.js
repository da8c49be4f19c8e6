// The list of alerts, a row each, and what they mean in words.
import { field, h, select } from './dom.js';
import { decimal } from './settings.js';
import { credits, micro, usd } from './format.js';

const measures = [
  ['percent', 'Percent of the cycle’s credits'],
  ['spend_cap_percent', 'Percent of the spend cap'],
  ['credits', 'Credits used in the cycle'],
];
const highest = { percent: 1000, spend_cap_percent: 100 };

// 80, {"spend_cap_percent":90} or {"credits":1000}: what can be edited here. Others are kept as they are.
function partsOf(alert) {
  if (typeof alert !== 'object') return { measure: 'percent', level: String(alert) };
  const names = Object.keys(alert);
  const known = names.length === 1 && names[0] !== 'percent' && measures.some(([name]) => name === names[0]);
  return known ? { measure: names[0], level: String(alert[names[0]]) } : null;
}

const alertOf = ({ measure, level }) =>
  measure === 'percent' ? Number(level) : { [measure]: measure === 'credits' ? level : Number(level) };

// Numbers of the API are texts on this page, so that credits stay exact: what is sent back are percents
// as numbers again. Credits may be either.
function untouched(alert) {
  return Object.fromEntries(
    Object.entries(alert).map(([name, value]) => [name, name.endsWith('percent') ? Number(value) : value]),
  );
}

const scopes = { agent: 'agent', key: 'API key', conversation: 'conversation' };

export function alertText(alert) {
  const parts = partsOf(alert);
  if (parts === null) {
    const scope = Object.keys(scopes).find((name) => alert[name] !== undefined);
    const who =
      scope && (alert[scope] === '*' ? `each ${scopes[scope]}` : `${scopes[scope]} “${alert[scope]}”`);
    if (who && alert.credits !== undefined)
      return `when ${who} has used ${credits(alert.credits)} credits in a cycle`;
    if (who && alert.percent !== undefined)
      return `when ${who} has used ${alert.percent} % of the cycle’s credits`;
    return `by ${JSON.stringify(alert)}`;
  }
  if (parts.measure === 'percent') return `when ${parts.level} % of the cycle’s credits are used`;
  if (parts.measure === 'spend_cap_percent') return `when ${parts.level} % of the spend cap are spent`;
  return `when ${credits(parts.level)} credits are used in a cycle`;
}

// How near it is: so that nobody sets one that is past already, or can never be reached.
export function alertConsequence(alert, { terms, spend_cap_usd: cap }) {
  const parts = partsOf(alert);
  if (parts?.measure === 'spend_cap_percent')
    return cap === null
      ? 'There is no spend cap, so it is never told.'
      : `That is at ${usd((Number(cap) * Number(parts.level)) / 100)}.`;
  if (parts?.measure === 'percent' && micro(terms?.credits ?? '0') > 0n)
    return `Of the plan’s ${credits(terms.credits)} credits alone, that is at ${credits(String((Number(terms.credits) * Number(parts.level)) / 100))}.`;
  return '';
}

export function alertsEditor(alerts) {
  const list = h('ul', { class: 'limits alerts' });
  const removal = (row, what) =>
    h(
      'button',
      {
        type: 'button',
        class: 'quiet',
        'aria-label': `Remove ${what}`,
        onclick: () => {
          row.remove();
          more.focus();
        },
      },
      'Remove',
    );
  const addKept = (alert) => {
    const row = h('li', {}, h('p', { class: 'kept' }, `Told ${alertText(alert)}.`));
    row.append(removal(row, `the alert ${alertText(alert)}`));
    row.read = () => untouched(alert);
    list.append(row);
  };
  const addEditable = ({ measure, level }, focus) => {
    const what = select(measures, measure);
    const input = h('input', { type: 'text', inputmode: 'decimal', value: level, autocomplete: 'off' });
    const row = h('li', {}, field('Tell at', what), field('Level', input));
    row.append(removal(row, 'this alert'));
    row.read = () => alertOf({ measure: what.value, level: levelOf(input, what.value) });
    list.append(row);
    if (focus) what.focus();
  };
  const more = h(
    'button',
    { type: 'button', onclick: () => addEditable({ measure: 'percent', level: '' }, true) },
    'Add an alert',
  );
  for (const alert of alerts) {
    const parts = partsOf(alert);
    if (parts) addEditable(parts, false);
    else addKept(alert);
  }
  return { element: h('div', {}, list, more), read: () => [...list.children].map((row) => row.read()) };
}

function levelOf(input, measure) {
  if (measure === 'credits') {
    const amount = decimal(input, 'The level of an alert', 6);
    if (micro(amount) > 0n) return amount;
  } else if (/^[1-9]\d{0,3}$/.test(input.value.trim()) && Number(input.value) <= highest[measure]) {
    return input.value.trim();
  }
  input.focus();
  throw new Error(
    measure === 'credits'
      ? 'An alert needs more than 0 credits.'
      : `The level of an alert is a whole percentage from 1 to ${highest[measure]}.`,
  );
}
