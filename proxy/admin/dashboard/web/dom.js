// Builds the page. Text is always set as text: an agent's name, which a caller chooses, can never
// be markup.

// h('p', { class: 'muted' }, 'Hello ', h('b', {}, 'you')): attributes, `on...` listeners, children.
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? '' : value);
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

let nextId = 0;
export const freshId = (prefix) => `${prefix}-${(nextId += 1)}`;

// Announces a text to screen readers, at most every few seconds, so that a moving counter is not
// read all the time.
let announcedAt = 0;
export function announce(text, { atMostEvery = 0 } = {}) {
  if (Date.now() - announcedAt < atMostEvery) return;
  announcedAt = Date.now();
  document.getElementById('announce').textContent = text;
}

export function section(title, ...content) {
  const id = freshId('h');
  return h('section', { class: 'card', 'aria-labelledby': id }, h('h2', { id }, title), ...content);
}

export const emptyState = (title, ...next) =>
  h('div', { class: 'empty' }, h('p', { class: 'empty-title' }, title), h('p', {}, ...next));

export const errorBox = (error) => h('div', { class: 'error', role: 'alert' }, error.message);

// Connects a label, its control and a hint.
export function field(label, control, hint) {
  const id = control.id || (control.id = freshId('f'));
  const hintId = hint ? `${id}-hint` : undefined;
  if (hint) control.setAttribute('aria-describedby', hintId);
  return h(
    'div',
    { class: 'field' },
    h('label', { for: id }, label),
    control,
    hint && h('p', { class: 'hint', id: hintId }, hint),
  );
}

export function select(options, value, onchange) {
  const element = h(
    'select',
    { onchange: () => onchange?.(element.value) },
    options.map(([key, text]) => h('option', { value: key, selected: key === value }, text)),
  );
  return element;
}

// A table with a caption. columns: [{ title, cell(row) -> node or text, number, sort(row) -> value
// }]
//
// In a narrow window a row with many columns becomes a block, with a name above each value
// (`stack`); ARIA roles keep it a table.
export function table(
  caption,
  columns,
  rows,
  { sorted, onsort, hideCaption, stack = columns.length > 4 } = {},
) {
  const heading = (column, index) => {
    const attributes = {
      scope: 'col',
      role: stack && 'columnheader',
      class: column.number ? 'number' : undefined,
    };
    if (!column.sort || !onsort) return h('th', attributes, column.title);
    const active = sorted?.index === index;
    if (active) attributes['aria-sort'] = sorted.down ? 'descending' : 'ascending';
    return h(
      'th',
      attributes,
      h(
        'button',
        { class: 'sort', type: 'button', onclick: () => onsort(index) },
        column.title,
        h('span', { 'aria-hidden': 'true' }, active ? (sorted.down ? ' ▾' : ' ▴') : ''),
      ),
    );
  };
  // In a block, empty values need no name.
  const content = (column, row) => {
    const value = column.cell(row);
    return value === '–' ? h('span', { class: 'none' }, value) : value;
  };
  const cell = (column, row, index) =>
    h(
      index === 0 ? 'th' : 'td',
      {
        class: column.number ? 'number' : undefined,
        scope: index === 0 ? 'row' : undefined,
        role: stack && (index === 0 ? 'rowheader' : 'cell'),
        'data-title': column.title,
      },
      content(column, row),
    );
  return h(
    'div',
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption },
    h(
      'table',
      { class: stack && ['stack', onsort && 'sorts', columns.length === 4 && 'even'].filter(Boolean).join(' '), role: stack && 'table' },
      h('caption', { class: hideCaption ? 'visually-hidden' : undefined }, caption),
      h('thead', { role: stack && 'rowgroup' }, h('tr', { role: stack && 'row' }, columns.map(heading))),
      h(
        'tbody',
        { role: stack && 'rowgroup' },
        rows.map((row) =>
          h(
            'tr',
            { role: stack && 'row' },
            columns.map((column, index) => cell(column, row, index)),
          ),
        ),
      ),
    ),
  );
}

// A table that the user can sort by the columns that have `sort`.
export function sortableTable(caption, columns, rows, start = { index: 0, down: false }) {
  const place = h('div');
  let sorted = start;
  const draw = () => {
    const by = columns[sorted.index].sort;
    const compare = (a, b) => {
      const [x, y] = [by(a), by(b)];
      const order = typeof x === 'string' ? x.localeCompare(y) : x < y ? -1 : x > y ? 1 : 0;
      return sorted.down ? -order : order;
    };
    place.replaceChildren(table(caption, columns, by ? [...rows].sort(compare) : rows, { sorted, onsort }));
  };
  const onsort = (index) => {
    sorted = { index, down: sorted.index === index ? !sorted.down : Boolean(columns[index].number) };
    draw();
    place.querySelectorAll('thead th')[index].querySelector('button')?.focus();
  };
  draw();
  return place;
}
