// The status of a top-up as a badge.
import { h } from './dom.js';

const words = {
  requested: ['Waiting for payment', 'near'],
  pending: ['Payment pending', 'near'],
  paid: ['Paid', 'ok'],
  declined: ['Declined', 'out'],
};
export const statusBadge = (status) =>
  h('span', { class: `badge ${words[status]?.[1] ?? ''}` }, words[status]?.[0] ?? status);
