-- Grants in burn-down order, their expiry, and the billing of usage beyond them.
local names, integers, accounts, records =
    require 'names', require 'integers', require 'accounts', require 'cycle_records'
local call, format, match, min, max = redis.call, string.format, string.match, math.min, math.max
local normal, text_of = integers.normal, integers.text
local append, move_available, record_of, value = accounts.append, accounts.move_available, records.get, records.value
local MAX, HOLDS = names.max_micro, accounts.KEY.holds

local grants = {}

local PRIORITY = {rollover = 10, allocation = 30, promotion = 30, correction = 40}
local function priority_of(kind) return PRIORITY[kind] or 50 end
grants.priority_of = priority_of

local function total(list)
  local sum = 0
  for _, g in ipairs(list) do sum = sum + g.remaining end
  return sum
end
grants.total = total

local function kept_in_all(account)
  local sum = 0
  for _, batch in ipairs(account.batches) do sum = sum + total(batch.grants) end
  return sum
end
grants.kept_in_all = kept_in_all

local function posted(account) return account.granted - account.settled - account.expired end

-- Takes up to `amount` from the grants in their order; returns the part that they could not cover.
local function burn(list, amount, granted_before)
  for _, g in ipairs(list) do
    if amount <= 0 then break end
    if not granted_before or g.at < granted_before then
      local taken = min(amount, g.remaining)
      g.remaining = g.remaining - taken
      amount = amount - taken
    end
  end
  local left = 0
  for i = 1, #list do
    local g = list[i]
    list[i] = nil
    if g.remaining > 0 then
      left = left + 1
      list[left] = g
    end
  end
  return amount
end
grants.burn = burn

local function insert(list, grant)
  local place = #list + 1
  local expires = grant.expires == 0 and math.huge or grant.expires
  while place > 1 do
    local other = list[place - 1]
    local others = other.expires == 0 and math.huge or other.expires
    local burns_before = grant.priority < other.priority or
                         (grant.priority == other.priority and expires < others)
    if not burns_before then break end
    place = place - 1
  end
  table.insert(list, place, grant)
end
grants.insert = insert

local function bring_up_to_date(account)
  burn(account.active, account.settled - account.mark)
  account.mark = account.settled
end
grants.bring_up_to_date = bring_up_to_date

local function left_of_active(account) return max(total(account.active) - (account.settled - account.mark), 0) end
grants.left_of_active = left_of_active

-- The amount used beyond all grants.
local function overdrawn(account) return left_of_active(account) + kept_in_all(account) - posted(account) end
grants.overdrawn = overdrawn

-- Resolved amounts are moved out of the totals, so that the totals never exceed what a double adds exactly.
-- `plan.refresh` then recomputes what depends on the settled total.
local CARRY = 1000000000000000
grants.CARRY = CARRY
function grants.carry(account)
  bring_up_to_date(account)
  account.settled_before, account.settled_wholes =
      normal(account.settled_before + account.settled, account.settled_wholes)
  account.expired_before, account.expired_wholes =
      normal(account.expired_before + account.expired, account.expired_wholes)
  account.granted = posted(account)
  account.settled, account.expired, account.mark = 0, 0, 0
end
local function carry_what_is_much(account)
  if account.settled + account.expired >= CARRY then grants.carry(account) end
end
grants.carry_what_is_much = carry_what_is_much

-- Whether these credits may be given in addition to top-ups that are open and may be paid at any moment.
function grants.has_room_for(account, more, asked_for)
  if more <= 0 then return account.available + more >= -MAX end
  if account.available + account.held + asked_for + more > MAX then return false end
  local rest, wholes = normal(account.granted, account.settled_wholes + account.expired_wholes)
  rest, wholes = normal(rest + account.settled_before + account.expired_before, wholes)
  return select(2, normal(rest + more, wholes)) < 8000  -- max_lifetime_micro
end

local function cycle_number(account) return account.plan and account.plan.cycle or 0 end
grants.cycle_number = cycle_number

local function append_grant(account, kind, id, amount, overage, in_cycle, by)
  append(account, kind, id, text_of(amount), '0', text_of(overage), '0', text_of(in_cycle), by)
end

-- New credits first pay off the amount used beyond all grants.
function grants.add(account, id, kind, amount, priority, expires, note)
  carry_what_is_much(account)
  bring_up_to_date(account)
  local plan, owed = account.plan, overdrawn(account)
  account.granted = account.granted + amount
  move_available(account, amount)
  local record, place = record_of(account, cycle_number(account)), records.OF_KIND[kind] or records.OF_KIND.correction
  record[place] = record[place] + amount
  local overage
  if amount < 0 then
    overage = burn(account.active, -amount)
    if plan then plan.owed = plan.owed + overage end
  else
    local paid_off = min(owed, amount)
    overage = -paid_off
    if amount > paid_off then
      if plan then plan.told_exhausted = false end
      insert(account.active, {id = id, kind = kind, priority = priority, expires = expires, at = account.now,
                              amount = amount, remaining = amount - paid_off})
    end
    if plan then plan.owed = min(plan.owed, overdrawn(account)) end
  end
  append_grant(account, 'grant', id, amount, overage, cycle_number(account), kind .. '\t' .. note)
  return amount
end

-- Usage beyond all grants is billed in that cycle, and is no longer owed in credits.
function grants.bill(account, amount, index)
  local record = record_of(account, index)
  local price = record[records.CLOSED] == 1 and record[records.PRICE] or account.plan.terms.price
  carry_what_is_much(account)
  account.granted = account.granted + amount
  move_available(account, amount)
  local last = record.billed[#record.billed]
  if not last or last[2] ~= price or last[1] + amount > MAX then
    last = {0, price}
    record.billed[#record.billed + 1] = last
  end
  last[1] = last[1] + amount
  append_grant(account, 'bill', 'overage:' .. text_of(index), amount, -amount, index, 'overage\t' .. text_of(price))
  accounts.emit(account, 'overage_billed', 'cycle', index, 'credits', amount, 'price', price)
end

local function find_rollover(account, id)
  for _, g in ipairs(account.active) do
    if g.kind == 'rollover' and g.id == id then return g end
  end
end

-- The part of an allocation that the plan rolls over becomes a grant of the next cycle, after paying off what is owed;
-- the rest is forfeited. Returns what is still owed.
function grants.run_out(account, grant, lost, index, as_of, owed)
  local plan, record, rolled = account.plan, record_of(account, index), 0
  if grant.kind == 'allocation' and record[records.ROLL_ENDS] > as_of then
    rolled = min(lost, value(record, records.ROLL_ROOM))
  end
  if rolled > 0 then
    records.set(record, records.ROLL_ROOM, value(record, records.ROLL_ROOM) - rolled)
    record[records.ROLLED_OUT] = record[records.ROLLED_OUT] + rolled
    local into = record_of(account, record[records.CLOSED] == 1 and plan.cycle or index + 1)
    into[records.ROLLED_IN] = into[records.ROLLED_IN] + rolled
    local id = 'rollover:' .. text_of(index)
    local known = find_rollover(account, id)
    if known then
      known.amount = known.amount + rolled
      known.remaining = known.remaining + rolled
    else
      insert(account.active, {id = id, kind = 'rollover', priority = priority_of('rollover'),
                              expires = record[records.ROLL_ENDS], at = account.now, amount = rolled,
                              remaining = rolled})
    end
    local paid_off = min(owed, rolled)
    burn(account.active, paid_off)
    owed = owed - paid_off
    if plan then plan.owed = min(plan.owed, owed) end
    append_grant(account, 'roll_over', grant.id, rolled, -paid_off, index, 'rollover\t' .. id)
  end
  local rest = lost - rolled
  if rest > 0 then
    account.expired = account.expired + rest
    move_available(account, -rest)
    record[records.FORFEITED] = record[records.FORFEITED] + rest
    append_grant(account, 'forfeit', grant.id, rest, 0, index, grant.kind .. '\t')
  end
  return owed
end

local function copy_of(grant, remaining)
  local copy = {}
  for name, each in pairs(grant) do copy[name] = each end
  copy.remaining = remaining
  return copy
end
grants.copy_of = copy_of

-- Holds that are open when credits run out, or a cycle closes, count as placed before that, even if the clock was
-- ahead.
local function place_holds_before(account, at)
  local stored = call('HGETALL', account.keys[HOLDS])
  for i = 1, #stored, 2 do
    local head, placed, tail = match(stored[i + 1], '^(%d+ %d+ %S+ )(%d+)(.*)$')
    if tonumber(placed) >= at then
      call('HSET', account.keys[HOLDS], stored[i], head .. format('%d', at - 1) .. tail)
    end
  end
end

-- Open holds claim the first credits in burn-down order; those of them that are about to run out are kept for the
-- holds.
function grants.expire(account, at)
  place_holds_before(account, at)
  bring_up_to_date(account)
  local index, held = cycle_number(account), account.held
  local batch = {stop = at, claims = held, cycle = index, grants = {}}
  local staying, leaving, ahead = {}, {}, kept_in_all(account)
  for _, g in ipairs(account.active) do
    if g.expires == 0 or g.expires > at then
      ahead = ahead + g.remaining
      staying[#staying + 1] = g
    else
      local claimed = min(max(held - ahead, 0), g.remaining)
      ahead = ahead + claimed
      if claimed > 0 then batch.grants[#batch.grants + 1] = copy_of(g, claimed) end
      leaving[#leaving + 1] = copy_of(g, g.remaining - claimed)
    end
  end
  account.active = staying
  if #batch.grants > 0 then account.batches[#account.batches + 1] = batch end
  local owed = 0
  for _, g in ipairs(leaving) do owed = grants.run_out(account, g, g.remaining, index, at, owed) end
end

return grants
