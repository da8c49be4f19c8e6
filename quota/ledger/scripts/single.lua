-- One reservation, or one settlement, of an account in which nothing else is to be done: nearly every call of a quiet
-- organization. It is written as straight as Lua runs it, without the table that apply.lua makes. Where
-- anything is out of the ordinary it returns nothing, having changed nothing, and apply.lua does it all.
local names, accounts, holds, usage, gate, admission =
    require 'names', require 'accounts', require 'holds', require 'usage', require 'gate', require 'admission'
local call, format, sub, find, max = redis.call, string.format, string.sub, string.find, math.max
local entry, first_id, HOUR_OF_KEY = accounts.entry, accounts.first_id, accounts.HOUR_OF_KEY
local OUTCOME, MAX, MAX_USED, MAX_TIMEOUT_MS, SCHEMA, MEMORY_HOURS =
    names.outcome, names.max_micro, names.max_used, names.max_hold_timeout_ms, names.schema_version,
    names.resolution_memory_hours
local HELD, SETTLED, ALREADY_SETTLED = OUTCOME.held, OUTCOME.settled, OUTCOME.already_settled
local ACCOUNT, HOLDS, LEDGER = accounts.KEY.account, accounts.KEY.holds, accounts.KEY.ledger
local CARRY = 1000000000000000

local function earlier(a, b)  -- of two times, of which 0 is none
  if a == 0 or (b > 0 and b < a) then return b end
  return a
end

local function reserve(keys, args, at, now, hour, row)
  local code, id, key = args[at], args[at - 1], tonumber(args[at + 1])
  local amount_text, by = args[at + 2], args[at + 4]
  local amount, timeout = tonumber(amount_text), tonumber(args[at + 3])
  local settled, held = tonumber(row[3] or 0), tonumber(row[4] or 0)
  local posted = tonumber(row[2] or 0) - tonumber(row[5] or 0) - settled
  local available, held_after = posted - held - amount, held + amount
  if row[6] == '1' or amount < 0 or available < 0 or held_after > MAX or timeout < 1 or timeout > MAX_TIMEOUT_MS or
     tonumber(args[key - HOUR_OF_KEY]) < hour - MEMORY_HOURS then
    return
  end
  local cycle, plan_due = '0', 0
  if row[9] then
    local _, old_before, threshold, alert_at
    cycle, _, old_before, _, threshold, plan_due, alert_at = gate.unpack_few(row[9])
    if now < old_before or posted < threshold or (alert_at >= 0 and settled >= alert_at) then return end
  end
  local rate, rate_text = row[10], nil
  if rate == '' or (code ~= 'r0' and code ~= 'r1') then rate = false end
  if rate then
    local wait
    rate, rate_text, wait = admission.take_request(rate, now)
    if wait then return end
  end
  if call('HGET', keys[HOLDS], id) or call('HGET', keys[key], id) then return end

  local now_text, available_text, expires = format('%d', now), format('%d', available), now + timeout
  call('XADD', keys[LEDGER], '*', 'reserve',
       entry(id, amount_text, '0', '0', '0', available_text, cycle, by))
  call('HSET', keys[HOLDS], id, amount_text .. format(' %d ', expires) .. args[key - HOUR_OF_KEY] .. ' ' .. now_text ..
       ' ' .. by)
  local next_due = tonumber(row[7] or 0)
  local due = earlier(earlier(next_due, expires), plan_due)
  local write = {keys[ACCOUNT], 'held', format('%d', held_after)}
  if due ~= next_due then write[4], write[5] = 'next_due', format('%d', due) end
  if rate then
    write[#write + 1] = 'rate'
    write[#write + 1] = rate
  end
  if #write > 3 or amount > 0 then call('HSET', unpack(write)) end
  local answer = now_text .. ' ' .. HELD .. ' ' .. amount_text .. ' ' .. available_text
  return rate_text and answer .. ' ' .. rate_text or answer
end

local function settle(keys, args, at, now, hour, row)
  local id, key, amount_text, used_text = args[at - 1], tonumber(args[at + 1]), args[at + 2], args[at + 3]
  local amount, used, billed = tonumber(amount_text), usage.read_used(used_text)
  if amount < 0 or amount > MAX or used < 0 or used > MAX_USED or billed < 0 or billed > MAX_USED then return end
  local settled, held = tonumber(row[3] or 0) + amount, tonumber(row[4] or 0)
  local posted = tonumber(row[2] or 0) - tonumber(row[5] or 0) - settled  -- behind the settlement
  local cycle, cycle_start, old_before = '0', 0, 0
  if row[9] then
    local kept, threshold, plan_due, alert_at, has_member_alerts
    cycle, cycle_start, old_before, kept, threshold, plan_due, alert_at, has_member_alerts = gate.unpack_few(row[9])
    if now < old_before or kept > 0 or posted < threshold or (alert_at >= 0 and settled >= alert_at) or
       has_member_alerts or earlier(tonumber(row[7] or 0), plan_due) ~= tonumber(row[7] or 0) then
      return
    end
  end
  if settled >= CARRY then return end
  local packed = call('HGET', keys[HOLDS], id)
  if not packed then return end
  local standing, _, placed, by = holds.unpack(packed)
  if placed < old_before or placed < cycle_start then return end
  local release, available = standing - amount, posted - held + standing
  if available < -MAX then return end

  local now_text, available_text = format('%d', now), format('%d', available)
  local overage = max(amount - max(posted + amount, 0), 0)
  call('XADD', keys[LEDGER], '*', 'settle',
       entry(id, amount_text, release == 0 and '0' or format('%d', release), overage == 0 and '0' or
             format('%d', overage), used_text, available_text, cycle, by))
  call('HDEL', keys[HOLDS], id)
  call('HSET', keys[key], id, ALREADY_SETTLED .. ' ' .. amount_text)
  local kept_hour = tonumber(row[8] or 0)
  local keeps = accounts.keep_resolutions(keys[key], tonumber(args[key - HOUR_OF_KEY]), hour, kept_hour)
  usage.add(keys, hour, sub(by, find(by, '\t', 1, true) + 1), amount, used, billed)
  local write = {keys[ACCOUNT], 'held', format('%d', held - standing), 'settled', format('%d', settled)}
  if keeps ~= kept_hour then write[6], write[7] = 'kept_hour', format('%d', keeps) end
  call('HSET', unpack(write))
  return now_text .. ' ' .. SETTLED .. ' ' .. amount_text .. ' ' .. available_text
end

return function(keys, args, now, hour, row)
  local has_limits = row[11] and row[11] ~= ''
  if args[2] ~= '1' or row[1] ~= SCHEMA or has_limits then return end
  local next_due = tonumber(row[7] or 0)
  if next_due > 0 and next_due <= now then return end
  local at = first_id(keys) + 1
  local code = args[at]
  if code == 's' then
    if not args[at + 4] then return settle(keys, args, at, now, hour, row) end
  elseif sub(code, 1, 1) == 'r' and not args[at + 5] then
    return reserve(keys, args, at, now, hour, row)
  end
end
