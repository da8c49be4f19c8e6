// The list of alerts, one row each, and their description in words.
import { field, h, select } from './dom.js';
import { decimal } from './amount_input.js';
import { credits, micro, typed, usd } from './format.js';

const scopes = [
  ['', 'The organization'],
  ['agent', 'Agent'],
  ['key', 'API key'],
  ['conversation', 'Conversation'],
];
const scopeWords = { agent: 'agent', key: 'API key', conversation: 'conversation' };
const measures = [
  ['percent', 'Percent of the cycle’s credits'],
  ['credits', 'Credits used in the cycle'],
  ['spend_cap_percent', 'Percent of the spend cap'],
];
// Only the organization has a spend cap.
const measuresOf = (scope) => measures.filter(([name]) => !scope || name !== 'spend_cap_percent');
const highest = { percent: 1000, spend_cap_percent: 100 };

// Parses 80, {"spend_cap_percent":90}, {"credits":1000} or {"agent":"*","percent":20}, which this
// page can edit. Returns nothing for others: they are kept unchanged.
function partsOf(alert) {
  if (typeof alert !== 'object') return { scope: '', id: '', measure: 'percent', level: String(alert) };
  const names = Object.keys(alert);
  const scope = names.find((name) => scopeWords[name]) ?? '';
  const measure = names.find((name) => measuresOf(scope).some(([known]) => known === name));
  const isWhole = names.length === (scope ? 2 : 1) && measure && (scope || measure !== 'percent');
  return isWhole ? { scope, id: alert[scope] ?? '', measure, level: String(alert[measure]) } : null;
}

function alertOf({ scope, id, measure, level }) {
  const amount = measure === 'credits' ? level : Number(level);
  if (scope) return { [scope]: id, [measure]: amount };
  return measure === 'percent' ? amount : { [measure]: amount };
}

// Numbers of the API are strings on this page, so that credits stay exact. Percentages are sent
// back as numbers; credits may be either.
function untouched(alert) {
  return Object.fromEntries(
    Object.entries(alert).map(([name, value]) => [name, name.endsWith('percent') ? Number(value) : value]),
  );
}

export function alertText(alert) {
  const parts = partsOf(alert);
  if (parts === null) return `by ${JSON.stringify(alert)}`;
  const { scope, id, measure, level } = parts;
  if (scope) {
    const who = id === '*' ? `any one ${scopeWords[scope]}` : `${scopeWords[scope]} “${id}”`;
    return measure === 'credits'
      ? `when ${who} has used ${credits(level)} credits in a cycle`
      : `when ${who} has used ${level} % of the cycle’s credits`;
  }
  if (measure === 'percent') return `when ${level} % of the cycle’s credits are used`;
  if (measure === 'spend_cap_percent') return `when ${level} % of the spend cap are spent`;
  return `when ${credits(level)} credits are used in a cycle`;
}

// Says how near the alert's level is, so that nobody sets one that is already exceeded or can never
// be reached.
export async function alertConsequence(alert, cap, quote) {
  const parts = partsOf(alert);
  if (parts === null) return '';
  const { scope, id, measure, level } = parts;
  const words = [];
  if (measure === 'spend_cap_percent' && cap === null)
    words.push('There is no spend cap, so this alert never fires.');
  else if (measure === 'spend_cap_percent')
    words.push(`That is at ${usd((await quote({ amount_usd: cap, percent: level })).percent_usd)}.`);
  if (measure === 'percent') {
    const { percent_credits: at } = await quote({ percent: level });
    if (micro(at) > 0n) words.push(`Of the plan’s credits alone, that is at ${credits(at)}.`);
  }
  if (scope && id === '*')
    words.push(`Each ${scopeWords[scope]} is counted separately and has its own alert.`);
  if (scope)
    words.push(`Counting begins now, or began with an earlier alert of the same ${scopeWords[scope]}.`);
  return words.join(' ');
}

// The controls of a row; `read` throws an error message for invalid values.
function editableRow(parts) {
  const id = h('input', { type: 'text', value: parts.id || '*', autocomplete: 'off' });
  const level = h('input', { type: 'text', inputmode: 'decimal', value: typed(parts.level), autocomplete: 'off' });
  const what = h('div', { class: 'what' });
  const idField = field('Id, or *', id);
  let measure = null;
  const adapt = (scope, chosen) => {
    idField.hidden = !scope;
    const known = measuresOf(scope);
    measure = select(known, known.some(([name]) => name === chosen) ? chosen : known[0][0]);
    what.replaceChildren(field('Tell at', measure));
  };
  const whose = select(scopes, parts.scope, (scope) => adapt(scope, measure.value));
  adapt(parts.scope, parts.measure);
  const read = () =>
    alertOf({
      scope: whose.value,
      id: whose.value && idOf(id),
      measure: measure.value,
      level: levelOf(level, measure.value),
    });
  return { whose, read, controls: [field('Whose', whose), idField, what, field('Level', level)] };
}

export function alertsEditor(alerts) {
  const list = h('ul', { class: 'limits alerts' });
  const add = (controls, what, read) => {
    const remove = h('button', { type: 'button', class: 'quiet', 'aria-label': `Remove ${what}` }, 'Remove');
    const row = h('li', {}, controls, remove);
    remove.addEventListener('click', () => {
      row.remove();
      more.focus();
    });
    row.read = read;
    list.append(row);
  };
  const addEditable = (parts) => {
    const row = editableRow(parts);
    add(row.controls, 'this alert', row.read);
    return row;
  };
  const more = h(
    'button',
    {
      type: 'button',
      onclick: () => addEditable({ scope: '', id: '', measure: 'percent', level: '' }).whose.focus(),
    },
    'Add an alert',
  );
  for (const alert of alerts) {
    const parts = partsOf(alert);
    if (parts) addEditable(parts);
    else
      add(h('p', { class: 'kept' }, `Fires ${alertText(alert)}.`), `the alert ${alertText(alert)}`, () =>
        untouched(alert),
      );
  }
  return { element: h('div', {}, list, more), read: () => [...list.children].map((row) => row.read()) };
}

function idOf(input) {
  const id = input.value.trim();
  if (id) return id;
  input.focus();
  throw new Error('Enter an id, or * for each by itself.');
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
