// Offers a file that was generated in the page for download.
import { h } from './dom.js';

export function download(name, parts, type = 'text/csv') {
  const address = URL.createObjectURL(new Blob(parts, { type }));
  const link = h('a', { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
