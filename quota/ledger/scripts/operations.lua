-- The operations on one hold: reserve, extend, release, settle, void. `at` is the position of the operation in the
-- arguments, `key` that of the `resolved` key of its id.
local names, accounts, holds, usage = require 'names', require 'accounts', require 'holds', require 'usage'
local admission, limits, cycles, member_alerts =
    require 'admission', require 'limits', require 'cycles', require 'member_alerts'
local format, match, find, sub, max = string.format, string.match, string.find, string.sub, math.max
local say, append, move_available, HOUR_OF_KEY =
    accounts.say, accounts.append, accounts.move_available, accounts.HOUR_OF_KEY
local is_amount, is_timeout, can_hold, fate_of, unpack_hold, cycle_of =
    holds.is_amount, holds.is_timeout, holds.can_hold, holds.fate_of, holds.unpack, cycles.of_hold
local OUTCOME, MAX, MAX_USED = names.outcome, names.max_micro, names.max_used
local HELD, HELD_BEYOND_BALANCE, EXTENDED, SETTLED, VOIDED =
    OUTCOME.held, OUTCOME.held_beyond_balance, OUTCOME.extended, OUTCOME.settled, OUTCOME.voided
local EXISTS, OUT_OF_RANGE, RELEASED = OUTCOME.exists, OUTCOME.out_of_range, OUTCOME.released

local operations = {}

-- Reduces the claim on kept credits of a hold that outlived its credits or its cycle.
local function give_up_claim(account, placed, amount)
  if placed >= account.old_before and account.kept <= 0 then return end
  cycles.release_claims(account, placed, amount)
  cycles.forfeit_unclaimed(account)
end

-- Why a reservation is refused: outcome, the text of the request rate, the details of the refusal, and whether a
-- critical call is refused too.
local function refusal_of(account, amount, by, code)
  if account.suspended then return OUTCOME.suspended, nil, nil, true end
  local rate_text, wait
  if account.rate and (code == 'r0' or code == 'r1') then
    account.rate, rate_text, wait = admission.take_request(account.rate, account.now)
    if wait then return OUTCOME.rate_limited, rate_text, wait, true end
  end
  if amount > 0 and (account.limits or account.available < amount) then
    local refusal, why, final, beyond = admission.objection(account, amount, by, code == 'r1')
    if beyond and code == 'r1' and not final then
      local text, pause = admission.take_critical_request(account)
      if pause then return OUTCOME.rate_limited, text, pause, true end
    end
    return refusal, rate_text, why, final
  end
  return nil, rate_text
end

-- r0 r1 r2 r3 (the digit is the admission): key amount timeout by
function operations.reserve(account, id, key, at, code)
  local args = account.args
  local amount_text, by = args[at + 2], args[at + 4]
  local amount = tonumber(amount_text)
  if amount < 0 or amount > MAX or not is_timeout(account, args[at + 3]) then
    return say(account, OUT_OF_RANGE, amount_text)
  end
  local packed = account.open[id]
  if packed then
    local standing = match(packed, '^%d+')
    return say(account, standing == amount_text and EXISTS or OUTCOME.exists_with_different_amount, standing)
  end
  local outcome, standing, more = fate_of(account, id, key)
  if outcome then
    -- The caller continues under another id: this id must not be held later if the clock is set back.
    if outcome == OUTCOME.forgotten then holds.resolve(account, id, key, outcome .. ' 0') end
    return say(account, outcome, standing, more)
  end

  local refusal, rate_text, why, final = refusal_of(account, amount, by, code)
  if refusal and (code == 'r0' or (code == 'r1' and final)) then
    if admission.is_for_money(refusal) then
      return admission.refuse_for_money(account, refusal, amount_text, rate_text, amount, 0)
    end
    return say(account, refusal, amount_text, rate_text and why and rate_text .. ' ' .. why or rate_text or why)
  end
  local held, available = account.held + amount, account.available - amount
  if held > MAX or available < -MAX then return say(account, OUT_OF_RANGE, amount_text, rate_text) end

  account.held, account.available, account.available_text = held, available, format('%d', available)
  local counted_at = account.limits and limits.count_new(account, by, amount)
  local placed = counted_at and holds.write_placed(account.now, counted_at) or account.now_text
  holds.place(account, id, amount_text, args[key - HOUR_OF_KEY], placed, by)
  append(account, 'reserve', id, amount_text, '0', '0', '0', account.cycle, by)
  say(account, refusal and HELD_BEYOND_BALANCE or HELD, amount_text, rate_text)
end

-- "CHARGE:USED[/BILLED_US]": the settlement of a hold if it expires after its answer has begun.
local function is_answer(said)
  local charge, used, billed = match(said, '^(%S+):(%-?%d+)/?(%-?%d*)$')
  charge, used, billed = tonumber(charge), tonumber(used), billed == '' and 0 or tonumber(billed)
  return is_amount(charge) and used >= 0 and used <= MAX_USED and billed >= 0 and billed <= MAX_USED
end
-- The same, stored after the hour of a hold. It never decreases.
local function with_answer(id_hour, said)
  local bare, before = match(id_hour, '^(%d+):?(%d*)')
  if before ~= '' and tonumber(match(said, '^%d+')) < tonumber(before) then return id_hour end
  return bare .. ':' .. said
end

-- e0 e1 e2 e3: key amount timeout needed answered
function operations.extend(account, id, key, at, code)
  local args = account.args
  local amount_text, said = args[at + 2], args[at + 5]
  local amount = tonumber(amount_text)
  if not is_amount(amount) or not is_timeout(account, args[at + 3]) or (said ~= '' and not is_answer(said)) then
    return say(account, OUT_OF_RANGE, amount_text)
  end
  if not account.open[id] then
    return holds.answer_gone(account, id, key, OUTCOME.not_found, OUTCOME.not_found)
  end
  local standing, id_hour, placed, by, counted_at = unpack_hold(account.open[id])
  local more = max(amount - standing, 0)
  if more > 0 and (account.limits or account.available < more) and (code == 'e0' or code == 'e1') then
    local refusal, why, final = admission.objection(account, more, by, code == 'e1', placed, standing, counted_at)
    if refusal and (code == 'e0' or final) then
      if admission.is_for_money(refusal) then
        return admission.refuse_for_money(account, refusal, amount_text, nil, tonumber(args[at + 4]), standing)
      end
      return say(account, refusal, amount_text, why)
    end
  end
  if not can_hold(account, more) then return say(account, OUT_OF_RANGE, amount_text) end

  if more > 0 then
    account.held = account.held + more
    standing = amount_text
    move_available(account, -more)
    if placed < account.old_before then cycles.release_claims(account, placed, -more) end
    limits.count(account, by, placed, counted_at, more)
    append(account, 'extend', id, format('%d', more), '0', '0', '0', cycle_of(account, placed), by)
  end
  if said ~= '' then id_hour = with_answer(id_hour, said) end
  holds.place(account, id, standing, id_hour, holds.write_placed(placed, counted_at), by)
  say(account, EXTENDED, standing)
end

-- d: key amount
function operations.release(account, id, key, at)
  local amount_text = account.args[at + 2]
  local amount = tonumber(amount_text)
  if not is_amount(amount) then return say(account, OUT_OF_RANGE, amount_text) end
  local packed = account.open[id]
  if not packed then return holds.answer_gone(account, id, key, OUTCOME.not_found, OUTCOME.not_found) end
  local standing, _, placed, by, counted_at = unpack_hold(packed)
  local less = standing - amount
  if less <= 0 then return say(account, RELEASED, standing) end
  account.held = account.held - less
  move_available(account, less)
  holds.put(account, id, amount_text .. sub(packed, #standing + 1))
  limits.count(account, by, placed, counted_at, -less)
  append(account, 'extend', id, format('%d', -less), '0', '0', '0', cycle_of(account, placed), by)
  give_up_claim(account, placed, less)
  say(account, RELEASED, amount_text)
end

-- s: key amount used. Nothing is answered for a hold that timed out (`on_expiry`). False: it is out of range.
function operations.settle(account, id, key, amount_text, used_text, on_expiry)
  local amount = tonumber(amount_text)
  local used, billed = usage.read_used(used_text)
  if amount < 0 or amount > MAX or used < 0 or used > MAX_USED or billed < 0 or billed > MAX_USED then
    return say(account, OUT_OF_RANGE, amount_text)
  end
  local packed = account.open[id]
  if not packed then return holds.answer_gone(account, id, key, OUTCOME.not_found, OUTCOME.not_found) end
  local standing, _, placed, by, counted_at = unpack_hold(packed)
  local release = standing - amount
  if account.available + release < -MAX then
    if on_expiry then return false end
    return say(account, OUT_OF_RANGE, amount_text)
  end

  local old, to_bill, overage, booked_in = placed < account.old_before, 0, 0, nil
  if old then
    to_bill, overage, booked_in = cycles.use_late(account, placed, amount)
  elseif account.available + account.held - account.kept < amount then
    overage = amount - max(account.available + account.held - account.kept, 0)
  end
  local in_cycle = cycle_of(account, placed)
  account.held = account.held - standing
  account.settled = account.settled + amount
  if release ~= 0 then move_available(account, release) end
  holds.drop(account, id)
  holds.resolve(account, id, key, on_expiry and OUTCOME.settled_on_expiry .. ' ' .. amount_text .. ' ' .. used_text or
                                  OUTCOME.already_settled .. ' ' .. amount_text)
  limits.count(account, by, placed, counted_at, -release)
  usage.count(account, sub(by, find(by, '\t', 1, true) + 1), booked_in, amount, used, billed)
  append(account, 'settle', id, amount_text, release == 0 and '0' or format('%d', release),
         overage == 0 and '0' or format('%d', overage), used_text, in_cycle, by)
  if to_bill > 0 then cycles.bill_late(account, to_bill, tonumber(in_cycle)) end
  if old or account.kept > 0 then
    cycles.release_claims(account, placed, tonumber(standing))
    cycles.forfeit_unclaimed(account)
  end
  if account.member_alerts and in_cycle == account.cycle then member_alerts.settled(account, by, amount) end
  if on_expiry then return true end
  say(account, SETTLED, amount_text)
end

-- v: key
function operations.void(account, id, key)
  local packed = account.open[id]
  if not packed then return holds.answer_gone(account, id, key, OUTCOME.already_voided, VOIDED) end
  local standing, _, placed, by, counted_at = unpack_hold(packed)
  account.held = account.held - standing
  move_available(account, standing)
  holds.drop(account, id)
  holds.resolve(account, id, key, OUTCOME.already_voided .. ' ' .. standing)
  limits.count(account, by, placed, counted_at, -standing)
  append(account, 'void', id, standing, '0', '0', '0', cycle_of(account, placed), by)
  give_up_claim(account, placed, tonumber(standing))
  say(account, VOIDED, standing)
end

return operations
