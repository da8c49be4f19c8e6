-- Holds whose timeout has passed.
local names, accounts, holds, limits, cycles =
    require 'names', require 'accounts', require 'holds', require 'limits', require 'cycles'
local call, format, match, find = redis.call, string.format, string.match, string.find
local say, append, move_available = accounts.say, accounts.append, accounts.move_available
local OUTCOME, MAX_TIMEOUT_MS, HOLDS = names.outcome, names.max_hold_timeout_ms, accounts.KEY.holds
local FIRST_RESOLVED = accounts.FIRST_RESOLVED

local sweep = {}

-- Gives back one hold. Returns whether it had outlived its credits or its cycle.
local function give_back(account, id, packed, key_of)
  local amount, id_hour, placed, by, counted_at = holds.unpack(packed)
  local key = key_of[id_hour]
  account.held = account.held - amount
  account.swept = account.swept + amount
  move_available(account, amount)
  call('HDEL', account.keys[HOLDS], id)
  call('HSET', account.keys[key], id, OUTCOME.expired .. ' ' .. amount)
  accounts.keep_resolutions_of(account, key, tonumber(id_hour))
  limits.count(account, by, placed, counted_at, -amount)
  append(account, 'expire', id, amount, '0', '0', '0', cycles.of_hold(account, placed), by)
  if placed >= account.old_before and account.kept <= 0 then return false end
  cycles.release_claims(account, placed, amount)
  return true
end

-- Holds that are due: ids in order, their holds, the positions of their hours' keys, and when the next hold is due. Or,
-- in `missing`, the hours whose keys were not passed.
function sweep.find_due(account)
  local all, due = call('HGETALL', account.keys[HOLDS]), {ids = {}, holds = {}, key_of = {}, earliest = 0}
  local ids, key_of, missing, now = due.ids, due.key_of, {}, account.now
  for key = FIRST_RESOLVED, #account.keys do key_of[accounts.hour_of_key(account, key)] = key end
  for i = 1, #all, 2 do
    local expires, id_hour = match(all[i + 1], '^%d+ (%d+) (%d+)')
    expires = tonumber(expires)
    if expires > now then
      if due.earliest == 0 or expires < due.earliest then due.earliest = expires end
    else
      ids[#ids + 1] = all[i]
      due.holds[all[i]] = all[i + 1]
      if not key_of[id_hour] then
        key_of[id_hour] = 0
        missing[#missing + 1] = id_hour
      end
    end
  end
  if #missing > 0 then return {missing = missing} end
  table.sort(ids)
  return due
end

-- Gives back the credits of holds that are due. Those whose answer has begun (":AMOUNT:USED" after the hour) are listed
-- for settlement: `account.answered`, {id, key}.
function sweep.give_back(account, due)
  local outlived, answered = false, {}
  for _, id in ipairs(due.ids) do
    local _, id_hour = holds.unpack(due.holds[id])
    if find(id_hour, ':', 1, true) then
      answered[#answered + 1] = {id, due.key_of[match(id_hour, '^%d+')]}
    else
      outlived = give_back(account, id, due.holds[id], due.key_of) or outlived
    end
  end
  account.answered = answered
  if outlived then cycles.forfeit_unclaimed(account) end
  account.next_due = due.earliest
end

-- The hold's text with an earlier end; nil if it ends early enough.
local function shortened(account, packed, at_most)
  local amount, ends, rest = match(packed, '^(%d+) (%d+)( .*)$')
  local end_at = account.now + at_most
  if tonumber(ends) <= end_at then return end
  if account.next_due == 0 or end_at < account.next_due then account.next_due = end_at end
  return amount .. format(' %d', end_at) .. rest
end

-- expire_holds. Due holds have been swept before. Holds that would last longer than `at_most` were placed or renewed
-- before the clock was set back.
function sweep.expire_holds(account, at_most)
  if at_most < 0 or at_most > MAX_TIMEOUT_MS then return say(account, OUTCOME.out_of_range, '0') end
  if at_most > 0 then
    local key, open = account.keys[HOLDS], account.open
    local stored = call('HGETALL', key)
    for i = 1, #stored, 2 do
      local packed = open[stored[i]] == nil and shortened(account, stored[i + 1], at_most)
      if packed then call('HSET', key, stored[i], packed) end
    end
    for id, packed in pairs(open) do
      packed = packed and shortened(account, packed, at_most)
      if packed then holds.put(account, id, packed) end
    end
  end
  say(account, OUTCOME.swept, format('%d', account.swept))
end

return sweep
