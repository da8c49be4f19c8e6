-- The usual call: a settlement, a reservation, or a settlement and then a reservation, of an account for which nothing
-- else is due. It makes no table and reads nothing twice: Lua hashes each string that it makes, byte by byte, and later
-- calls collect a call's garbage. If anything is unusual, it returns nothing and has changed nothing.
local names, gate = require 'names', require 'gate'
local note_first, keep_resolutions = require('usage').note_first, require('accounts').keep_resolutions
local call, format, sub, find, match = redis.call, string.format, string.sub, string.find, string.match
local OUTCOME, MAX, MAX_USED, MAX_TIMEOUT_MS, SCHEMA =
    names.outcome, names.max_micro, names.max_used, names.max_hold_timeout_ms, names.schema_version
local HELD, SETTLED, ALREADY_SETTLED = ' ' .. OUTCOME.held .. ' ', ' ' .. OUTCOME.settled .. ' ',
                                       OUTCOME.already_settled .. ' '
local CARRY = 1000000000000000
local RESERVES = {r0 = true, r1 = true, r2 = true, r3 = true}

-- The counter of `who` in this hour, including this call; nil if audio was counted before, or if the counter is large.
local function count(stored, amount, used)
  if not stored then return format('%d 1 %d', amount, used) end
  local credits, calls, units = match(stored, '^(%d+) (%d+) (%d+)$')
  if not credits then return end
  credits, units = credits + amount, units + used
  if credits <= MAX and units <= MAX then return format('%d %d %d', credits, calls + 1, units) end
end

-- For the hold of `id`: its amount, the description of the call in its entry, its attribution, and the counter.
local function read_hold(holds, usage, id, amount, used_text, old_before)
  local used = tonumber(used_text)
  if not used or used < 0 or used > MAX_USED or amount < 0 then return end
  local packed = call('HGET', holds, id)
  if not packed then return end
  local _, head, standing, placed = find(packed, '^(%d+) %d+ %d+ (%d+) ')
  if not head or tonumber(placed) < old_before then return end
  local who = sub(packed, find(packed, '\t', head, true) + 1)
  local counter = count(call('HGET', usage, who), amount, used)
  if counter then return tonumber(standing), sub(packed, head + 1), who, counter end
end

local function write_settlement(account, holds, resolved, usage, id, amount_text, who, counter, hour_text, kept_hour)
  call('HDEL', holds, id)
  call('HSET', resolved, id, ALREADY_SETTLED .. amount_text)
  if call('HSET', usage, who, counter) == 1 then note_first(account, usage, hour_text) end
  if kept_hour == hour_text then return end
  keep_resolutions(resolved, tonumber(hour_text), tonumber(hour_text), 0)
  call('HSET', account, 'kept_hour', hour_text)
end

-- `row` is the account's row, as read by accounts.read_row. Its keys are the four from keys[k] on (account, holds,
-- ledger, usage), and `resolved`, the key of this hour, which is the hour of the ids. Its ids are those from
-- args[first] on, followed by the operations, up to args[last].
return function(keys, k, resolved, args, first, last, hour_text, now, row)
  local next_due = tonumber(row[7] or 0)
  if row[1] ~= SCHEMA or (row[11] and row[11] ~= '') or (next_due > 0 and next_due <= now) then return end
  local settled, held = tonumber(row[3] or 0), tonumber(row[4] or 0)
  local posted = tonumber(row[2] or 0) - tonumber(row[5] or 0) - settled
  local cycle, old_before, threshold, alert_at = '0', 0, -1, -1
  if row[9] then
    if next_due == 0 and select(6, gate.unpack_few(row[9])) > 0 then return end  -- the gate names an earlier time
    cycle, old_before, threshold, alert_at = gate.unpack_ordinary(row[9])
    if not cycle or now < old_before then return end
  end

  local account, holds, ledger, usage = keys[k], keys[k + 1], keys[k + 2], keys[k + 3]
  local two = last - first == 10  -- a settlement and a reservation
  local at, id, answer = first + (two and 2 or 1), args[first], format('%d', now)
  local now_text, entry, settle_text, who, counter = answer, nil, nil, nil, nil
  if args[at] == 's' then
    settle_text = args[at + 2]
    local amount, used_text = tonumber(settle_text), args[at + 3]
    posted, settled = posted - amount, settled + amount
    if posted < 0 or settled >= CARRY then return end
    local standing, by
    standing, by, who, counter = read_hold(holds, usage, id, amount, used_text, old_before)
    if not standing then return end
    held = held - standing
    local available_text = format('%d', posted - held)
    entry = settle_text .. (standing == amount and ' 0' or format(' %d', standing - amount)) .. ' 0 ' .. used_text ..
            ' ' .. available_text .. ' ' .. cycle .. ' ' .. id .. '\t' .. by
    answer = answer .. SETTLED .. settle_text .. ' ' .. available_text
    at = at + 4
  end
  if threshold >= 0 and posted < threshold or alert_at >= 0 and settled >= alert_at then return end
  if entry and at > last then
    call('XADD', ledger, '*', 'settle', entry)
    write_settlement(account, holds, resolved, usage, id, settle_text, who, counter, hour_text, row[8])
    call('HSET', account, 'held', format('%d', held), 'settled', format('%d', settled))
    return answer
  end

  if two ~= (entry ~= nil) or not RESERVES[args[at]] or at + 4 ~= last then return end
  local new_id, reserve_text, timeout, by = args[two and first + 1 or first], args[at + 2], args[at + 3], args[at + 4]
  local amount, timeout_ms = tonumber(reserve_text), tonumber(timeout)
  held = held + amount
  if row[6] == '1' or (row[10] and row[10] ~= '') or amount < 0 or posted < held or held > MAX or timeout_ms < 1 or
     timeout_ms > MAX_TIMEOUT_MS or call('HEXISTS', holds, new_id) == 1 or call('HEXISTS', resolved, new_id) == 1 or
     new_id == id and entry then
    return
  end
  local expires = now + timeout_ms
  local expires_text = format('%d', expires)
  local due_text = (next_due == 0 or expires < next_due) and expires_text or row[7]
  local available_text = format('%d', posted - held)
  local new_entry = reserve_text .. ' 0 0 0 ' .. available_text .. ' ' .. cycle .. ' ' .. new_id .. '\t' .. by
  local hold = reserve_text .. ' ' .. expires_text .. ' ' .. hour_text .. ' ' .. now_text .. ' ' .. by
  if entry then
    call('XADD', ledger, '*', 'settle', entry, 'reserve', new_entry)
    call('HSET', holds, new_id, hold)
    write_settlement(account, holds, resolved, usage, id, settle_text, who, counter, hour_text, row[8])
    call('HSET', account, 'held', format('%d', held), 'settled', format('%d', settled), 'next_due', due_text)
  else
    call('XADD', ledger, '*', 'reserve', new_entry)
    call('HSET', holds, new_id, hold)
    call('HSET', account, 'held', format('%d', held), 'next_due', due_text)
  end
  return answer .. HELD .. reserve_text .. ' ' .. available_text
end
