// How close an account is to its limits, according to its balance; drawn in the same way on all
// pages.
import { h } from './dom.js';
import { usd } from './format.js';

const states = {
  no_credits_yet: ['none', 'No credits yet'],
  in_credit: ['ok', 'In credit'],
  nearly_used_up: ['near', 'Nearly used up'],
  near_spend_cap: ['near', 'Near the spend cap'],
  in_overage: ['near', 'In overage'],
  no_credits_left: ['out', 'No credits left'],
  spend_cap_reached: ['out', 'Spend cap reached'],
};

export function standing({ standing: { state, used_percent, spend_cap_percent } }) {
  const [level, text] = states[state] ?? ['ok', state];
  return { level, text, ratio: Number(used_percent) / 100, capRatio: Number(spend_cap_percent ?? 0) / 100 };
}

export function capText(cap) {
  if (!cap) return 'none';
  return Number(cap.usd) === 0 ? 'nothing may be spent' : `${usd(cap.used_usd)} of ${usd(cap.usd)}`;
}

// Our own bar: each browser colours its own differently.
export function meter(ratio, level, label) {
  const full = Math.min(1, Math.max(0, ratio));
  const bar = h('span', { class: 'meter-bar' });
  bar.style.width = `${full * 100}%`;
  return h(
    'span',
    {
      role: 'meter',
      class: `meter ${level}`,
      'aria-label': label,
      'aria-valuemin': 0,
      'aria-valuemax': 100,
      'aria-valuenow': Math.round(full * 100),
      title: label,
    },
    bar,
  );
}
