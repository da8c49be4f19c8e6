// How close an account is to its end, from its balance: one judgement for all pages.
import { h } from './dom.js';
import { fromMicro, micro } from './format.js';

// What the grants that still have credits brought, and how much of that is gone.
export function standing(balance) {
  const active = balance.grants.filter((grant) => !grant.kept);
  const brought = active.reduce((total, grant) => total + micro(grant.credits), 0n);
  const left = active.reduce((total, grant) => total + micro(grant.remaining), 0n);
  const ratio = brought > 0n ? Number(brought - left) / Number(brought) : micro(balance.settled) > 0n ? 1 : 0;
  const cap = balance.spend_cap;
  const capRatio = cap && Number(cap.usd) > 0 ? Number(cap.used_usd) / Number(cap.usd) : cap ? 1 : 0;
  const brought_text = fromMicro(brought);
  const out = micro(balance.available) <= 0n;
  if (cap && capRatio >= 1 && out) return { level: 'out', text: 'Spend cap reached', ratio, capRatio, brought: brought_text };
  if (out && !balance.overage.allowed) return { level: 'out', text: 'No credits left', ratio, capRatio, brought: brought_text };
  if (out) return { level: 'near', text: 'In overage', ratio, capRatio, brought: brought_text };
  if (capRatio >= 0.8 && Number(cap.usd) > 0) return { level: 'near', text: 'Near the spend cap', ratio, capRatio, brought: brought_text };
  if (ratio >= 0.8) return { level: 'near', text: 'Nearly used up', ratio, capRatio, brought: brought_text };
  return { level: 'ok', text: 'In credit', ratio, capRatio, brought: brought_text };
}

export const meter = (ratio, level, label) =>
  h('meter', { min: 0, max: 1, value: Math.min(1, ratio), class: level, 'aria-label': label, title: label });
