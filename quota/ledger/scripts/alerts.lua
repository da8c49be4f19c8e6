-- How far overage may go, and the events for thresholds that are crossed: alerts, an exhausted balance, the spend cap.
local names, integers, accounts, records, grants =
    require 'names', require 'integers', require 'accounts', require 'cycle_records', require 'grants'
local floor, min, max = math.floor, math.min, math.max
local normal, join, text_of, WHOLE = integers.normal, integers.join, integers.text, integers.WHOLE
local emit, record_of, overdrawn, left_of_active = accounts.emit, records.get, grants.overdrawn, grants.left_of_active
local MAX, MAX_POSTED, OUTCOME, SETTLED = names.max_micro, 2 * names.max_micro, names.outcome, records.SETTLED
local PERCENT, CAP_PERCENT, CREDITS = 0, 1, 2  -- alert_kind

local alerts = {}

-- --- overage and the spend cap ---

local function allows_overage(account)
  local plan = account.plan
  return plan.options.overage and plan.terms.price > 0
end
alerts.allows_overage = allows_overage

local function cents_of_bills(record)
  local cents = 0
  for _, line in ipairs(record.billed) do cents = cents + integers.cents_at_most(line[1], line[2]) end
  return cents
end

-- The credits that may be used beyond all grants and will be billed.
local function overage_room(account)
  local plan = account.plan
  if not allows_overage(account) then return 0 end
  if plan.options.cap < 0 then return 2 * MAX end
  local left = plan.options.cap - account.spent - cents_of_bills(record_of(account, plan.cycle))
  if left <= 0 then return 0 end
  return integers.credits_covered(left * 10000, plan.terms.price)
end
alerts.overage_room = overage_room

local function billable(account)
  return min(max(overdrawn(account) - account.plan.owed, 0), overage_room(account))
end
alerts.billable = billable

local function spent_cents(account)
  return account.spent + cents_of_bills(record_of(account, account.plan.cycle))
end
alerts.spent_cents = spent_cents

-- How many credits must be overdrawn to use up that percentage of the spend cap. 0: it is used up; nil: it cannot be.
local function overdrawn_at(account, percent)
  local plan = account.plan
  if plan.options.cap < 0 then return nil end
  local spent = spent_cents(account)
  if plan.options.cap == 0 and spent == 0 then  -- a percentage of a zero cap means nothing
    return allows_overage(account) and 1 or nil
  end
  local missing = plan.options.cap * percent * 100 - spent * 10000
  if missing <= 0 then return 0 end
  if not allows_overage(account) then return nil end
  local price = plan.terms.price
  local whole = floor(missing / price)
  if whole > 8000000000 then return 2 * MAX end
  return whole * 1000000 - floor(-(missing - whole * price) * 1000000 / price)
end
local function spent_of_cap(account, percent)
  local needed = overdrawn_at(account, percent)
  return needed and overdrawn(account) >= needed
end

-- --- what was given and used in the cycle: as a double (exact up to 2^53), and as text ---

local OF_KIND = records.OF_KIND
local GIVEN = {OF_KIND.allocation, OF_KIND.purchase, OF_KIND.top_up, OF_KIND.promotion, OF_KIND.correction,
               records.ROLLED_IN}
local function given_in_cycle(account)
  local record, rest, wholes = record_of(account, account.plan.cycle), 0, 0
  for _, place in ipairs(GIVEN) do
    rest, wholes = normal(rest + record[place], wholes + (record.wholes[place] or 0))
  end
  return rest + wholes * WHOLE, join(rest, wholes)
end

-- The amount settled in the account's life, and since a cycle began, each in two numbers.
local function settled_in_all(account)
  return normal(account.settled_before + account.settled, account.settled_wholes)
end
alerts.settled_in_all = settled_in_all
local function settled_since(account, record)
  local rest, wholes = settled_in_all(account)
  return normal(rest - record[SETTLED], wholes - (record.wholes[SETTLED] or 0))
end
alerts.settled_since = settled_since
local function used_in_cycle(account)
  local rest, wholes = settled_since(account, record_of(account, account.plan.cycle))
  return rest + wholes * WHOLE, join(rest, wholes)
end

-- --- alerts ---

-- The level of an alert in credits, as of now. nil: it is a percentage, and nothing was given.
local function level_of(account, alert)
  if alert.kind == CREDITS then return alert.level end
  local given = given_in_cycle(account)
  return given > 0 and given <= MAX_POSTED and integers.share_of(given, alert.level) or nil
end
local function reached(account, alert)
  if alert.kind == CAP_PERCENT then return spent_of_cap(account, alert.level) end
  local level = level_of(account, alert)
  local used = used_in_cycle(account)
  return level and used >= level
end

-- Reports the amounts that count towards the cap, and the cost of overage: billed lines, then what would be billed now.
-- The cost is not rounded here, because it is rounded once, as in a statement.
local function tell_of_cap(account, kind, ...)
  local plan, overage, lines = account.plan, overdrawn(account), {}
  local function line(amount, price) lines[#lines + 1] = text_of(amount) .. '*' .. text_of(price) end
  for _, billed in ipairs(record_of(account, plan.cycle).billed) do
    overage = overage + billed[1]
    line(billed[1], billed[2])
  end
  line(billable(account), plan.terms.price)
  local facts = {...}
  for _, fact in ipairs({'cap_cents', plan.options.cap, 'top_up_cents', account.spent, 'overage', overage, 'cost',
                         table.concat(lines, ',')}) do
    facts[#facts + 1] = fact
  end
  emit(account, kind, unpack(facts))
end

-- Reports the first refusal for money: the balance is exhausted, or the spend cap is reached.
local function tell_refused(account, outcome)
  local plan = account.plan
  if not plan then return end
  if outcome == OUTCOME.insufficient_balance and not plan.told_exhausted then
    plan.told_exhausted = true
    emit(account, 'balance_exhausted', 'available', account.available)
  elseif outcome == OUTCOME.cap_reached and not plan.told_cap then
    plan.told_cap = true
    tell_of_cap(account, 'spend_cap_reached')
  end
end
alerts.tell_refused = tell_refused

-- Reports once each threshold that has been crossed, in the order of the list.
function alerts.watch(account)
  account.unwatched = false
  local plan = account.plan
  if not plan then return end
  for _, alert in ipairs(plan.alerts) do
    local there = not alert.scope and reached(account, alert)
    if there and alert.armed then
      if alert.kind == CAP_PERCENT then
        tell_of_cap(account, 'usage_threshold', 'cap_percent', alert.level)
      else
        local _, used = used_in_cycle(account)
        local _, given = given_in_cycle(account)
        emit(account, 'usage_threshold', alert.kind == PERCENT and 'percent' or 'credits', alert.level, 'used', used,
             'of', given)
      end
    end
    if not alert.scope then alert.armed = not there end
  end
  if left_of_active(account) == 0 then tell_refused(account, OUTCOME.insufficient_balance) end
  if spent_of_cap(account, 100) then tell_refused(account, OUTCOME.cap_reached) end
end

local SCOPE = {[0] = 'agent', 'conversation', 'key'}
function alerts.tell_member(account, alert, used, scope, who)
  local _, given = given_in_cycle(account)
  emit(account, 'usage_threshold', alert.kind == PERCENT and 'percent' or 'credits', alert.level, 'used', used, 'of',
       given, SCOPE[scope], who)
end

-- The total settled amount at which the next threshold will be crossed; -1: there is none.
function alerts.next(account)
  local plan = account.plan
  if not plan then return -1 end
  local settled, next = account.settled, -1
  local function consider(at)
    if at and at > settled and (next < 0 or at < next) then next = at end
  end
  local left, over = left_of_active(account), overdrawn(account)
  local used = used_in_cycle(account)
  local function at_overdrawn(needed) return needed and settled + left + max(needed - over, 0) end
  for _, alert in ipairs(plan.alerts) do
    if alert.armed and alert.kind == CAP_PERCENT then
      consider(at_overdrawn(overdrawn_at(account, alert.level)))
    elseif alert.armed then
      local level = level_of(account, alert)
      consider(level and settled + (level - used))
    end
  end
  if not plan.told_exhausted then consider(settled + left) end
  if not plan.told_cap then consider(at_overdrawn(overdrawn_at(account, 100))) end
  return next
end

-- What a settlement must know of the alerts of agents, conversations and keys: one line each, as in the account,
-- preceded by its level in credits as of now (0: a percentage, and nothing was given). False: there are none.
function alerts.of_members(account)
  local lines = {}
  for _, alert in ipairs(account.plan.alerts) do
    if alert.scope then
      lines[#lines + 1] = text_of(level_of(account, alert) or 0) .. ' ' .. alert.first .. ' ' .. alert.text
    end
  end
  return #lines > 0 and table.concat(lines, '\n')
end

return alerts
