-- The usual call: a settlement, a reservation, or the one and then the other, of an account in which nothing else is to
-- be done. It makes no table and reads nothing twice: Lua hashes each string that it makes, byte by byte, and what a
-- call leaves behind is collected in the next ones. Where anything is out of the ordinary it returns nothing, having
-- changed nothing, and plain.lua goes on.
local names, accounts, gate = require 'names', require 'accounts', require 'gate'
local call, format, sub, find, match = redis.call, string.format, string.sub, string.find, string.match
local OUTCOME, MAX, MAX_USED, MAX_TIMEOUT_MS =
    names.outcome, names.max_micro, names.max_used, names.max_hold_timeout_ms
local HELD, SETTLED, ALREADY_SETTLED = ' ' .. OUTCOME.held .. ' ', ' ' .. OUTCOME.settled .. ' ',
                                       OUTCOME.already_settled .. ' '
local KEY = accounts.KEY
local ACCOUNT, HOLDS, LEDGER, USAGE, RESOLVED = KEY.account, KEY.holds, KEY.ledger, KEY.usage, accounts.FIRST_RESOLVED
local CARRY = 1000000000000000

-- args: hour, number of ids, hours until totals are packed, hour of the ids, ids, operations. The first operation of
-- one id is at 6, of two at 7.
local ID_HOUR, FIRST_ID = 4, 5
local RESERVES = {r0 = true, r1 = true, r2 = true, r3 = true}

-- What is counted for `who` in this hour, with this call; nothing where it is the first, or was of audio, or is large.
local function count(stored, amount, used)
  local credits, calls, units = match(stored or '', '^(%d+) (%d+) (%d+)$')
  if not credits then return end
  credits, units = credits + amount, units + used
  if credits <= MAX and units <= MAX then return format('%d %d %d', credits, calls + 1, units) end
end

-- What is held by the hold, what its entry says of who called, who is counted, and the counter.
local function read_hold(keys, args, id, at, amount, old_before)
  local used = tonumber(args[at + 3])
  if not used or used < 0 or used > MAX_USED or amount < 0 then return end
  local packed = call('HGET', keys[HOLDS], id)
  if not packed then return end
  local _, head, standing, placed = find(packed, '^(%d+) %d+ %d+ (%d+) ')
  if not head or tonumber(placed) < old_before then return end
  local who = sub(packed, find(packed, '\t', head, true) + 1)
  local counter = count(call('HGET', keys[USAGE], who), amount, used)
  if counter then return tonumber(standing), sub(packed, head + 1), who, counter end
end

local function write_settlement(keys, id, amount_text, who, counter)
  call('HDEL', keys[HOLDS], id)
  call('HSET', keys[RESOLVED], id, ALREADY_SETTLED .. amount_text)
  call('HSET', keys[USAGE], who, counter)
end

-- Whether nothing stands in the way of reserving what `at` says. `left` is the balance behind it.
local function is_usual(keys, args, id, at, row, amount, held, left)
  local timeout = tonumber(args[at + 3])
  return not args[at + 5] and row[6] ~= '1' and (not row[10] or row[10] == '') and amount >= 0 and left >= 0 and
         held <= MAX and timeout >= 1 and timeout <= MAX_TIMEOUT_MS and not call('HGET', keys[RESOLVED], id)
end

-- Places the hold. Returns when the next of the account ends (text); nothing if the id is taken.
local function place(keys, args, id, at, now, now_text, next_due, due_text)
  local expires = now + args[at + 3]
  local expires_text = format('%d', expires)
  if call('HSETNX', keys[HOLDS], id, args[at + 2] .. ' ' .. expires_text .. ' ' .. args[ID_HOUR] .. ' ' .. now_text ..
                                     ' ' .. args[at + 4]) == 0 then
    return
  end
  return (next_due == 0 or expires < next_due) and expires_text or due_text
end

return function(keys, args, now, row, next_due)
  local settled, held = tonumber(row[3] or 0), tonumber(row[4] or 0)
  local posted = tonumber(row[2] or 0) - tonumber(row[5] or 0) - settled
  local cycle, old_before, threshold, alert_at = '0', 0, -1, -1
  if row[9] then
    if next_due == 0 then return end  -- the gate may name an earlier time
    cycle, old_before, threshold, alert_at = gate.unpack_ordinary(row[9])
    if not cycle or now < old_before then return end
  end

  local two = args[2] == '2'
  local at, id, answer = two and 7 or 6, args[FIRST_ID], format('%d', now)
  local now_text, entry, who, counter = answer, nil, nil, nil
  local settle_text = args[at] == 's' and args[at + 2]
  if settle_text then
    local amount, used_text = tonumber(settle_text), args[at + 3]
    posted, settled = posted - amount, settled + amount
    if posted < 0 or settled >= CARRY or row[8] ~= args[1] then return end
    local standing, by
    standing, by, who, counter = read_hold(keys, args, id, at, amount, old_before)
    if not standing then return end
    held = held - standing
    local available_text = format('%d', posted - held)
    entry = settle_text .. (standing == amount and ' 0' or format(' %d', standing - amount)) .. ' 0 ' .. used_text ..
            ' ' .. available_text .. ' ' .. cycle .. ' ' .. id .. '\t' .. by
    answer = answer .. SETTLED .. settle_text .. ' ' .. available_text
    at = at + 4
  end
  if threshold >= 0 and posted < threshold or alert_at >= 0 and settled >= alert_at then return end

  local code = args[at]
  if not code and entry and not two then
    call('XADD', keys[LEDGER], '*', 'settle', entry)
    write_settlement(keys, id, settle_text, who, counter)
    call('HSET', keys[ACCOUNT], 'held', format('%d', held), 'settled', format('%d', settled))
    return answer
  end
  if not RESERVES[code] or two ~= (entry ~= nil) then return end
  local new_id, reserve_text = args[two and FIRST_ID + 1 or FIRST_ID], args[at + 2]
  local amount = tonumber(reserve_text)
  held = held + amount
  if new_id == id and entry or not is_usual(keys, args, new_id, at, row, amount, held, posted - held) then return end
  local due_text = place(keys, args, new_id, at, now, now_text, next_due, row[7])
  if not due_text then return end

  local available_text = format('%d', posted - held)
  local new_entry = reserve_text .. ' 0 0 0 ' .. available_text .. ' ' .. cycle .. ' ' .. new_id .. '\t' .. args[at + 4]
  if entry then
    call('XADD', keys[LEDGER], '*', 'settle', entry, 'reserve', new_entry)
    write_settlement(keys, id, settle_text, who, counter)
    call('HSET', keys[ACCOUNT], 'held', format('%d', held), 'settled', format('%d', settled), 'next_due', due_text)
  else
    call('XADD', keys[LEDGER], '*', 'reserve', new_entry)
    call('HSET', keys[ACCOUNT], 'held', format('%d', held), 'next_due', due_text)
  end
  return answer .. HELD .. reserve_text .. ' ' .. available_text
end
