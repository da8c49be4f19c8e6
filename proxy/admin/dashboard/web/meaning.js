// Describes a change of the billing settings in words, and builds its API request.
import { alertConsequence, alertText } from './alerts.js';
import { credits, micro, usd, usdPrice } from './format.js';

const windows = { hour: 'an hour', day: 'a day (UTC)', cycle: 'a cycle', total: 'in total' };
const scopes = ['agent', 'conversation', 'key'];

const sameAmount = (a, b) => (a === null || b === null ? a === b : micro(a) === micro(b));

export function limitText(limit) {
  const scope = scopes.find((name) => limit[name] !== undefined);
  const who = limit[scope] === '*' ? `each ${scope}` : `${scope} “${limit[scope]}”`;
  return `${who} may use ${credits(limit.credits)} credits ${windows[limit.per]}`;
}

function overageSentence(on, terms) {
  if (!on)
    return 'Overage is switched off: when the credits are used up, calls that are not critical are refused with 402.';
  return `Overage is switched on: when the credits are used up, calls continue, and each credit costs ${usdPrice(terms?.overage_usd ?? '0')}.`;
}

async function capSentence(cap, before, { balance }, quote) {
  if (cap === null)
    return `The spend cap of ${usd(before)} is removed: overage and automatic top-ups may cost any amount.`;
  const now =
    micro(cap) === 0n
      ? 'nothing beyond the plan may be spent'
      : `at most ${usd(cap)} a cycle may be spent beyond the plan`;
  const { credits: buys } = await quote({ amount_usd: cap });
  const worth = buys === null || micro(buys) === 0n ? '' : ` That is what ${credits(buys)} credits cost.`;
  const spent = balance?.spend_cap?.used_usd ?? balance?.overage.usd ?? '0';
  const already =
    micro(spent) >= micro(cap) && micro(spent) > 0n
      ? ` ${usd(spent)} are spent in this cycle already, so it takes effect at once.`
      : '';
  return `Spend cap: ${now}, by overage and automatic top-ups together.${worth} When it is reached, calls that are not critical are refused with 402.${already} Before: ${before === null ? 'no cap' : usd(before)}.`;
}

async function topUpSentence(rule, cap, quote) {
  if (rule === null) return 'Automatic top-ups are switched off: credits are bought by hand only.';
  const { credits: gets } = await quote({ amount_usd: rule.amount_usd });
  return (
    `Whenever fewer than ${credits(rule.threshold_credits)} credits are available, ${rule.fill ? 'at least ' : ''}${usd(rule.amount_usd)} are charged` +
    `${gets === null ? '' : ` for ${credits(gets)} credits`}${rule.fill ? ', or at once what reaches the threshold' : ''}${cap === null ? ', as often as needed: there is no spend cap' : `, until the spend cap of ${usd(cap)} is reached`}.`
  );
}

const limitKey = (limit) => limitText({ ...limit, credits: String(limit.credits) });

async function changeAlerts(org, wanted, body, sentences, quote) {
  const [had, has] = [org.alerts.map(alertText), wanted.alerts.map(alertText)];
  if (had.join('\n') === has.join('\n')) return;
  const twice = has.find((text, index) => has.indexOf(text) !== index);
  if (twice) throw new Error(`Duplicate alert: ${twice}.`);
  body.alerts = wanted.alerts;
  const added = wanted.alerts.filter((alert) => !had.includes(alertText(alert)));
  const meant = await Promise.all(added.map((alert) => alertConsequence(alert, wanted.spend_cap_usd, quote)));
  sentences.push(
    ...added.map((alert, index) => `New alert: fires once a cycle, ${alertText(alert)}. ${meant[index]}`.trim()),
    ...had.filter((text) => !has.includes(text)).map((text) => `Removed alert: ${text}.`),
  );
  if (added.length === 0 && had.length === has.length) sentences.push('The order of the alerts changes.');
}

// { sentences, body }: only differences are sent. `quote` asks the API for the meaning of amounts.
export async function changesOf(org, wanted, quote) {
  const sentences = [],
    body = {};
  const change = (name, sentence) => {
    body[name] = wanted[name];
    sentences.push(sentence);
  };
  if (org.overage !== wanted.overage) change('overage', overageSentence(wanted.overage, org.terms));
  if (!sameAmount(org.spend_cap_usd, wanted.spend_cap_usd))
    change('spend_cap_usd', await capSentence(wanted.spend_cap_usd, org.spend_cap_usd, org, quote));
  const [before, after] = [org.auto_top_up, wanted.auto_top_up];
  const sameRule =
    before === null || after === null
      ? before === after
      : sameAmount(before.threshold_credits, after.threshold_credits) &&
        sameAmount(before.amount_usd, after.amount_usd) &&
        (before.fill ?? false) === after.fill;
  if (!sameRule) change('auto_top_up', await topUpSentence(after, wanted.spend_cap_usd, quote));
  await changeAlerts(org, wanted, body, sentences, quote);
  const [had, has] = [org.limits.map(limitKey), wanted.limits.map(limitKey)];
  if (had.join('\n') !== has.join('\n')) {
    body.limits = wanted.limits;
    sentences.push(
      ...has.filter((text) => !had.includes(text)).map((text) => `New limit: ${text}.`),
      ...had.filter((text) => !has.includes(text)).map((text) => `Removed limit: ${text}.`),
    );
    if (sentences.length === 0) sentences.push('The order of the limits changes.');
  }
  return { sentences, body };
}
