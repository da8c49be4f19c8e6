// The browser's own dialog: it keeps the focus, and Escape closes it.
import { freshId, h } from './dom.js';

export function openDialog(title, build) {
  const id = freshId('dialog');
  const dialog = h('dialog', { 'aria-labelledby': id, onclose: () => dialog.remove() });
  const close = () => dialog.close();
  dialog.append(h('h2', { id }, title), ...[build(close)].flat());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
