-- Closing cycles, and holds that outlive their credits or their cycle.
local names, integers, calendar, accounts = require 'names', require 'integers', require 'calendar', require 'accounts'
local records, grants, alerts, top_ups =
    require 'cycle_records', require 'grants', require 'alerts', require 'open_top_ups'
local plans = require 'plan'
local format, floor, min, max = string.format, math.floor, math.min, math.max
local record_of, value, set_number, text_of = records.get, records.value, records.set, integers.text
local MAX_POSTED, STATUS = 2 * names.max_micro, top_ups.STATUS

local cycles = {}

-- How much may roll over into the next cycle while leaving room for its allocation.
local function room_to_roll(account, at)
  grants.bring_up_to_date(account)
  local staying, leaving = grants.kept_in_all(account), 0
  for _, g in ipairs(account.active) do
    if g.expires == 0 or g.expires > at then
      staying = staying + g.remaining
    else
      leaving = leaving + g.remaining
    end
  end
  local next = account.plan.next_terms or account.plan.terms
  return max(MAX_POSTED - next.allocation - staying - min(leaving, account.held), 0)
end

-- How much late calls of the cycle may still roll over, and until when those credits last.
local function allow_rollover(account, record, at)
  local plan = account.plan
  local unused = min(plan.peak, value(record, records.OF_KIND.allocation))
  record[records.ROLL_ROOM] = min(integers.mul_div(unused, plan.terms.percent, 100), room_to_roll(account, at))
  local ends = plan.terms.cycles > 0 and at or 0
  for _ = 1, plan.terms.cycles do ends = calendar.end_of_cycle(plan.anchor, ends) end
  record[records.ROLL_ENDS] = ends
end

-- The bucket of the request rate with which these terms begin.
local function rate_of(terms)
  return terms.per_minute > 0 and format('%d %d 0 0', terms.per_minute, terms.burst) or false
end
cycles.rate_of = rate_of

local function begin_cycle(account, at)
  local plan = account.plan
  plan.told_cap = false
  plan.cycle = plan.cycle + 1
  plan.start, plan.stop = at, calendar.end_of_cycle(plan.anchor, at)
  plan.usual_stop = plan.stop
  if plan.next_terms then
    plan.terms, plan.next_terms = plan.next_terms, false
    account.rate = rate_of(plan.terms)
  end
  plan.peak = plan.terms.allocation
  local record = record_of(account, plan.cycle)
  record[records.START], record[records.STOP] = plan.start, plan.stop
  record[records.SETTLED], record.wholes[records.SETTLED] = alerts.settled_in_all(account)
  account.spent = 0
  for _, id in ipairs(account.open_top_ups) do
    local top_up = top_ups.find(account, id)
    if top_up.automatic and top_up.status ~= STATUS.TIMED_OUT then
      top_up.cycle = plan.cycle
      top_ups.change(account, top_up)
      account.spent = account.spent + top_up.cents
    end
  end
  if plan.terms.allocation > 0 then
    grants.add(account, 'allocation:' .. text_of(plan.cycle), 'allocation', plan.terms.allocation,
               grants.priority_of('allocation'), plan.stop, '')
  end
end

local function close_cycle(account)
  local plan = account.plan
  local at, record = plan.stop, record_of(account, plan.cycle)
  allow_rollover(account, record, at)
  grants.expire(account, at)
  local may_bill, due = alerts.overage_room(account), alerts.billable(account)
  if due > 0 then grants.bill(account, due, plan.cycle) end
  plan.owed = grants.overdrawn(account)
  record[records.ROOM] = may_bill - due
  record.name, record[records.PRICE] = plan.terms.name, plan.terms.price
  record[records.SETTLED], record.wholes[records.SETTLED] = alerts.settled_since(account, record)
  record[records.CLOSED] = 1
  accounts.emit(account, 'cycle_closed', 'cycle', plan.cycle, 'start', record[records.START], 'end',
                record[records.STOP])
  begin_cycle(account, at)
end

-- A payment that nobody has confirmed for a week no longer blocks the next top-up, which will ask for the same payment
-- again.
local function give_up_pending(account)
  local open = top_ups.open_automatic(account)
  if not open or open.status ~= STATUS.PENDING or account.now - open.next < plans.PENDING_AT_MOST_MS then return end
  top_ups.set_status(account, open, STATUS.TIMED_OUT)
  top_ups.emit(account, 'top_up_failed', open)
end

-- Does everything that is due by now, in the order in which it became due.
function cycles.advance(account)
  plans.open(account)
  give_up_pending(account)
  while true do
    local next, now, plan = nil, account.now, account.plan
    for _, g in ipairs(account.active) do
      if g.expires > 0 and g.expires <= now and (not next or g.expires < next) then next = g.expires end
    end
    if plan and plan.stop <= now and (not next or plan.stop <= next) then
      close_cycle(account)
    elseif next then
      grants.expire(account, next)
    else
      return plans.refresh(account)
    end
  end
end

-- --- holds that outlive their credits, or their cycle ---

local function cycle_at(account, placed)
  local index = grants.cycle_number(account)
  while index > 0 and record_of(account, index)[records.START] > placed do index = index - 1 end
  return index
end

-- The cycle that a hold is booked in, as text.
function cycles.of_hold(account, placed)
  if placed >= account.cycle_start or account.cycle == '0' then return account.cycle end
  plans.read(account)
  return format('%d', cycle_at(account, placed))
end

-- Charges what an old hold has used: first to the credits kept for it; then, for a hold of a past cycle, to the credits
-- that cycle could have used; then to that cycle's overage. Only the rest is charged to today's credits. Returns the
-- amount to bill, that amount plus what else lay beyond all grants, and the hour it is counted in.
function cycles.use_late(account, placed, used)
  plans.open(account)
  grants.bring_up_to_date(account)
  local rest, to_bill, booked_in = used, 0, nil
  for _, batch in ipairs(account.batches) do
    if placed < batch.stop then rest = grants.burn(batch.grants, rest) end
  end
  local index, plan = cycle_at(account, placed), account.plan
  if plan and index < plan.cycle then
    local record = record_of(account, index)
    rest = grants.burn(account.active, rest, record[records.STOP])
    local may_bill = value(record, records.ROOM)
    to_bill = min(rest, may_bill)
    set_number(record, records.ROOM, may_bill - to_bill)
    rest = rest - to_bill
    record[records.SETTLED] = record[records.SETTLED] + used
    local current = record_of(account, plan.cycle)
    current[records.SETTLED] = current[records.SETTLED] + used
    booked_in = floor(record[records.STOP] / 3600000) - 1
  end
  local beyond = max(rest - grants.total(account.active), 0)
  account.mark = account.mark + used - rest
  return to_bill, to_bill + beyond, booked_in
end

function cycles.bill_late(account, amount, in_cycle)
  plans.open(account)
  grants.bill(account, amount, in_cycle)
end

-- Reduces the claims on kept credits of a hold that was placed at that time.
function cycles.release_claims(account, placed, amount)
  plans.open(account)
  for _, batch in ipairs(account.batches) do
    if placed < batch.stop then batch.claims = batch.claims - amount end
  end
end

-- Forfeits kept credits that no hold claims any more, from the last in burn-down order on.
function cycles.forfeit_unclaimed(account)
  plans.open(account)
  if #account.batches == 0 then return plans.refresh(account) end
  grants.bring_up_to_date(account)
  local owed, before_it = grants.overdrawn(account), 0
  for _, batch in ipairs(account.batches) do
    local list = batch.grants
    -- A hold that was placed while the clock was ahead is included in the claims, but its end does not reduce them.
    batch.claims = min(batch.claims, account.held)
    local excess = before_it + grants.total(list) - batch.claims
    while excess > 0 and #list > 0 do
      local last = list[#list]
      local part = min(excess, last.remaining)
      local lost = grants.copy_of(last, last.remaining)
      last.remaining = last.remaining - part
      if last.remaining == 0 then list[#list] = nil end
      excess = excess - part
      owed = grants.run_out(account, lost, part, batch.cycle, account.now, owed)
    end
    before_it = before_it + grants.total(list)
  end
  local left = {}
  for _, batch in ipairs(account.batches) do
    if #batch.grants > 0 then left[#left + 1] = batch end
  end
  account.batches = left
  plans.refresh(account)
end

return cycles
