// How close an account is to its end, from its balance: one judgement for all pages.
import { h } from './dom.js';
import { fromMicro, micro, usd } from './format.js';

// What the grants that still have credits brought, and how much of that is gone.
export function standing(balance) {
  const active = balance.grants.filter((grant) => !grant.kept);
  const brought = active.reduce((total, grant) => total + micro(grant.credits), 0n);
  const left = active.reduce((total, grant) => total + micro(grant.remaining), 0n);
  const ratio = brought > 0n ? Number(brought - left) / Number(brought) : micro(balance.settled) > 0n ? 1 : 0;
  const cap = balance.spend_cap;
  const capRatio = cap && Number(cap.usd) > 0 ? Number(cap.used_usd) / Number(cap.usd) : cap ? 1 : 0;
  const facts = { ratio, capRatio, brought: fromMicro(brought) };
  if (micro(balance.granted) === 0n && micro(balance.available) === 0n)
    return { level: 'none', text: 'No credits yet', ...facts };
  const out = micro(balance.available) <= 0n;
  if (cap && capRatio >= 1 && out) return { level: 'out', text: 'Spend cap reached', ...facts };
  if (out && !balance.overage.allowed) return { level: 'out', text: 'No credits left', ...facts };
  if (out) return { level: 'near', text: 'In overage', ...facts };
  if (capRatio >= 0.8 && Number(cap.usd) > 0) return { level: 'near', text: 'Near the spend cap', ...facts };
  if (ratio >= 0.8) return { level: 'near', text: 'Nearly used up', ...facts };
  return { level: 'ok', text: 'In credit', ...facts };
}

export function capText(cap) {
  if (!cap) return 'none';
  return Number(cap.usd) === 0 ? 'nothing may be spent' : `${usd(cap.used_usd)} of ${usd(cap.usd)}`;
}

// A bar of our own: browsers colour theirs each in its own way.
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
