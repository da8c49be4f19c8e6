// The list of limits, one row each.
import { field, h, select } from './dom.js';
import { typed } from './format.js';
import { decimal } from './amount_input.js';

const scopes = [
  ['agent', 'Agent'],
  ['conversation', 'Conversation'],
  ['key', 'API key'],
];
const windows = [
  ['hour', 'an hour'],
  ['day', 'a day'],
  ['cycle', 'a cycle'],
  ['total', 'in total'],
];

export function limitsEditor(limits) {
  const list = h('ul', { class: 'limits' });
  const add = (limit, focus) => {
    const scopeOf = scopes.map(([name]) => name).find((name) => limit[name] !== undefined) ?? 'agent';
    const parts = {
      scope: select(scopes, scopeOf),
      id: h('input', { type: 'text', value: limit[scopeOf] ?? '*' }),
      credits: h('input', { type: 'text', inputmode: 'decimal', value: typed(limit.credits) }),
      per: select(windows, limit.per ?? 'day'),
    };
    const row = h(
      'li',
      {},
      field('Whose', parts.scope),
      field('Id, or *', parts.id),
      field('Credits', parts.credits),
      field('Per', parts.per),
      h(
        'button',
        {
          type: 'button',
          class: 'quiet',
          onclick: () => {
            row.remove();
            more.focus();
          },
        },
        'Remove',
      ),
    );
    row.parts = parts;
    list.append(row);
    if (focus) parts.scope.focus();
  };
  const more = h('button', { type: 'button', onclick: () => add({}, true) }, 'Add a limit');
  limits.forEach((limit) => add(limit, false));
  const read = () =>
    [...list.children].map(({ parts }) => ({
      [parts.scope.value]: parts.id.value.trim(),
      credits: decimal(parts.credits, 'A limit', 6),
      per: parts.per.value,
    }));
  return { element: h('div', {}, list, more), read };
}
