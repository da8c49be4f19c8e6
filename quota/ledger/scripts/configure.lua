-- Sets an organization's plan and options. The first call starts its cycles.
local names, integers, calendar, accounts, rows =
    require 'names', require 'integers', require 'calendar', require 'accounts', require 'plan_rows'
local grants, plans, change = require 'grants', require 'plan', require 'change_plan'
local min, match, gmatch = math.min, string.match, string.gmatch
local say, text_of = accounts.say, integers.text
local OUTCOME, MAX, MAX_POSTED, MAX_CENTS = names.outcome, names.max_micro, 2 * names.max_micro, names.max_cents
local MAX_RATE = names.max_requests_per_minute

local function within(value, low, high) return value and value >= low and value <= high end

-- At most the cycle's allocation, plus the unused part of each earlier cycle that rolls over.
local function terms_fit(t)
  return t.allocation <= integers.mul_div(MAX, 100, 100 + t.cycles * min(t.percent, 100))
end
local function terms_in_bounds(t)
  return within(t.allocation, 0, MAX) and within(t.percent, 0, 1000) and within(t.cycles, 0, 120) and terms_fit(t) and
         within(t.price, 0, names.max_usd_micro_per_credit) and within(t.minimum, 0, MAX_CENTS) and
         within(t.per_minute, 0, MAX_RATE) and within(t.burst, t.per_minute > 0 and 1 or 0, MAX_RATE)
end
local function options_in_bounds(o)
  return within(o.cap, -1, MAX_CENTS) and within(o.overdraft, -1, MAX) and within(o.threshold, -1, MAX) and
         within(o.cents, 0, MAX_CENTS)
end

local function limits_in_bounds(lines)
  local count = 0
  for line in gmatch(lines, '[^\n]+') do
    count = count + 1
    local most = match(line, '^[012] [0123] (%d+) .')
    if not most or tonumber(most) > MAX then return false end
  end
  return count <= names.max_limits
end

local function alerts_in_bounds(lines)
  local count = 0
  for line in gmatch(lines, '[^\n]+') do
    count = count + 1
    local kind, level = match(line, '^([012]) (%S+)$')
    if not kind then kind, level = match(line, '^([02]) (%S+) [012] .') end
    local most = kind == '0' and names.max_alert_percent or kind == '1' and 100 or MAX
    if not kind or not within(tonumber(level), 1, most) then return false end
  end
  return count <= names.max_alerts
end

local function begin(account, anchor)
  if anchor == 0 then anchor = calendar.day_of_month(account.now) end
  account.plan = {cycle = 0, peak = 0, terms = rows.read_terms('0 0 0 0 0 0 0 '), next_terms = false,
                  options = rows.read_options('1 -1 -1 -1 0'), limits = '', owed = grants.overdrawn(account),
                  alerts = {}, told_exhausted = true, told_cap = false, began = account.now}
  -- Earlier grants came before the plan, even if the clock was ahead when they were given.
  for _, g in ipairs(account.active) do g.at = min(g.at, account.now) end
  change.begin_with_anchor(account, anchor)
end

-- Whether the change concerns money, so that the usage until now must be settled up first.
local function concerns_money(plan, at_once, moves, terms, options)
  local other_terms = at_once and (terms.price ~= plan.terms.price or terms.allocation ~= plan.terms.allocation)
  local old = plan.options
  return other_terms or moves or options.overage ~= old.overage or options.cap ~= old.cap
end

-- The text that shows whether two configurations differ.
local function agreement(plan)
  if not plan then return nil end
  return plan.terms.text .. '\n' .. plan.anchor .. '\n' .. (plan.next_terms and plan.next_terms.text or '')
end

return function(account, at_once, anchor, terms_text, options_text, limit_lines, alert_lines)
  plans.open(account)
  account.unwatched = true
  local plan, terms, options = account.plan, rows.read_terms(terms_text), rows.read_options(options_text)
  if not terms_in_bounds(terms) or not options_in_bounds(options) or not within(anchor, 0, 31) or
     not limits_in_bounds(limit_lines) or not alerts_in_bounds(alert_lines) then
    return say(account, OUTCOME.out_of_range, '0')
  end
  local first = not plan
  local moves = plan and anchor > 0 and anchor ~= plan.anchor
  local beginning = first or change.is_beginning(account)
  if moves and not beginning and change.is_too_long(plan, anchor) then
    return say(account, OUTCOME.out_of_range, '0')
  end
  local most = change.most_granted(plan, at_once, anchor, terms)
  if most > 0 and account.available + account.held + most > MAX_POSTED then
    return say(account, OUTCOME.balance_full, '0')
  end
  local before = agreement(plan)
  if first then
    begin(account, anchor)
  elseif concerns_money(plan, at_once, moves, terms, options) then
    change.settle_up(account)
  end
  plan = account.plan
  local given = 0
  if first or at_once then
    given = change.terms(account, terms)
  else
    plan.next_terms = terms.text ~= plan.terms.text and terms or false
  end
  local changed = change.options(account, options, limit_lines, alert_lines)
  if moves and beginning then
    change.begin_with_anchor(account, anchor)
  elseif moves then
    given = given + change.anchor(account, anchor)
  end
  if changed or agreement(plan) ~= before then accounts.emit(account, 'billing_updated', 'plan', plan.terms.name) end
  plans.refresh(account)
  say(account, OUTCOME.configured, text_of(given))
end
