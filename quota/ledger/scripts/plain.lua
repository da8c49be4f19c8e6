-- Reservations and settlements of an account for which nothing else is due: nearly every call. Written for speed,
-- without the table that apply.lua makes. If anything is unusual, it returns nothing and has changed nothing, and
-- apply.lua handles the whole call.
local names, accounts, holds, usage = require 'names', require 'accounts', require 'holds', require 'usage'
local gate, admission = require 'gate', require 'admission'
local call, format, sub, find = redis.call, string.format, string.sub, string.find
local first_id, keep_resolutions, unpack_hold = accounts.first_id, accounts.keep_resolutions, holds.unpack
local OUTCOME, MAX, MAX_USED, MAX_TIMEOUT_MS, SCHEMA, MEMORY_HOURS =
    names.outcome, names.max_micro, names.max_used, names.max_hold_timeout_ms, names.schema_version,
    names.resolution_memory_hours
local HELD, SETTLED, ALREADY_SETTLED = OUTCOME.held, OUTCOME.settled, OUTCOME.already_settled .. ' '
local ACCOUNT, HOLDS, LEDGER, HOUR_OF_KEY = accounts.KEY.account, accounts.KEY.holds, accounts.KEY.ledger,
                                            accounts.HOUR_OF_KEY
local CARRY = 1000000000000000
local RATED, UNRATED = 1, 2  -- whether a reservation counts as a request
local RESERVATIONS = {r0 = RATED, r1 = RATED, r2 = UNRATED, r3 = UNRATED}

-- id -> its value in the hash.
local function read(key, args, first, last)
  if first == last then return {[args[first]] = call('HGET', key, args[first])} end
  local found, texts = call('HMGET', key, unpack(args, first, last)), {}
  for i = first, last do texts[args[i]] = found[i - first + 1] end
  return texts
end

-- The end of a call: writes everything, one command per key.
local function write(keys, args, hour, row, lists, counts, changed)
  call('XADD', unpack(lists.entries))
  if lists.put then call('HSET', unpack(lists.put)) end
  if lists.drop then
    call('HDEL', unpack(lists.drop))
    local before = tonumber(row[8] or 0)
    local kept_hour = before
    for key, list in pairs(lists.resolved) do
      call('HSET', unpack(list))
      kept_hour = keep_resolutions(keys[key], tonumber(args[key - HOUR_OF_KEY]), hour, kept_hour)
    end
    usage.save(counts)
    if kept_hour ~= before then
      changed[#changed + 1] = 'kept_hour'
      changed[#changed + 1] = format('%d', kept_hour)
    end
  end
  call('HSET', unpack(changed))
end

return function(keys, args, now, hour, row)
  local next_due = tonumber(row[7] or 0)
  if row[1] ~= SCHEMA or (row[11] and row[11] ~= '') or (next_due > 0 and next_due <= now) then return end
  local first, count = first_id(keys), tonumber(args[2])
  local at, last = first + count, first + count - 1
  if count == 0 or (args[at] ~= 's' and not RESERVATIONS[args[at]]) then return end

  local settled, held, rate = tonumber(row[3] or 0), tonumber(row[4] or 0), row[10]
  local posted = tonumber(row[2] or 0) - tonumber(row[5] or 0) - settled
  local cycle, old_before, threshold, plan_due, alert_at, has_member_alerts = '0', 0, -1, 0, -1, false
  if row[9] then
    local start, kept
    cycle, start, old_before, kept, threshold, plan_due, alert_at, has_member_alerts = gate.unpack_few(row[9])
    if now < old_before or kept > 0 then return end
    if start > old_before and cycle ~= '0' then old_before = start end
  end
  if rate == '' then rate = false end

  local open, fates = read(keys[HOLDS], args, first, last), nil
  local now_text, was_due, due = format('%d', now), next_due, next_due
  local out, said, entries, written = {now_text}, 1, {keys[LEDGER], '*'}, 2
  local lists, counts = {entries = entries}, {keys = keys, hour = hour}
  local put, puts, drop, drops
  for i = first, last do
    local code, id, key, amount_text = args[at], args[i], tonumber(args[at + 1]), args[at + 2]
    local amount, packed, rated = tonumber(amount_text), open[id], RESERVATIONS[code]
    local available_text, rate_text
    if rated then
      local timeout, by = tonumber(args[at + 3]), args[at + 4]
      local id_hour = args[key - HOUR_OF_KEY]
      if not fates then fates = {[key] = read(keys[key], args, first, last)} end
      held = held + amount
      if packed ~= false or not fates[key] or fates[key][id] or row[6] == '1' or amount < 0 or posted < held or
         held > MAX or timeout < 1 or timeout > MAX_TIMEOUT_MS or tonumber(id_hour) < hour - MEMORY_HOURS then
        return
      end
      if rate and rated == RATED then
        local wait
        rate, rate_text, wait = admission.take_request(rate, now)
        if wait then return end
      end
      local expires = now + timeout
      if due == 0 or expires < due then due = expires end
      available_text = format('%d', posted - held)
      if not put then put, puts = {keys[HOLDS]}, 1 end
      put[puts + 1], puts = id, puts + 2
      put[puts] = amount_text .. format(' %d ', expires) .. id_hour .. ' ' .. now_text .. ' ' .. by
      entries[written + 1] = 'reserve'
      entries[written + 2] = amount_text .. ' 0 0 0 ' .. available_text .. ' ' .. cycle .. ' ' .. id .. '\t' .. by
      out[said + 1] = HELD
      at = at + 5
    elseif code == 's' and packed then
      local used_text = args[at + 3]
      local used, billed = usage.read_used(used_text)
      local standing, _, placed, by = unpack_hold(packed)
      local release = standing - amount
      posted, settled, held = posted - amount, settled + amount, held - standing
      if amount < 0 or amount > MAX or used < 0 or used > MAX_USED or billed < 0 or billed > MAX_USED or
         placed < old_before or has_member_alerts or settled >= CARRY or posted - held < -MAX then
        return
      end
      local overage = posted < 0 and format('%d', posted + amount < 0 and amount or -posted) or '0'
      available_text = format('%d', posted - held)
      if not drop then drop, drops, lists.resolved = {keys[HOLDS]}, 1, {} end
      drops = drops + 1
      drop[drops] = id
      local list = lists.resolved[key]
      if not list then
        list = {keys[key]}
        lists.resolved[key] = list
      end
      list[#list + 1] = id
      list[#list + 1] = ALREADY_SETTLED .. amount_text
      usage.count(counts, sub(by, find(by, '\t', 1, true) + 1), nil, amount, used, billed)
      entries[written + 1] = 'settle'
      entries[written + 2] = amount_text .. ' ' .. (release == 0 and '0' or format('%d', release)) .. ' ' .. overage ..
                             ' ' .. used_text .. ' ' .. available_text .. ' ' .. cycle .. ' ' .. id .. '\t' .. by
      out[said + 1] = SETTLED
      at = at + 4
    else
      return
    end
    if (threshold >= 0 and posted < threshold) or (alert_at >= 0 and settled >= alert_at) then return end
    open[id] = nil  -- apply.lua handles the next operation on it
    written, said = written + 2, said + 3
    out[said - 1], out[said] = amount_text, available_text
    if rate_text then
      said = said + 1
      out[said] = rate_text
    end
  end
  if args[at] then return end

  lists.put, lists.drop = put, drop
  local changed = {keys[ACCOUNT], 'held', format('%d', held)}
  if drop then changed[4], changed[5] = 'settled', format('%d', settled) end
  if plan_due > 0 and (due == 0 or plan_due < due) then due = plan_due end
  if due ~= was_due then
    changed[#changed + 1] = 'next_due'
    changed[#changed + 1] = format('%d', due)
  end
  if rate and rate ~= row[10] then
    changed[#changed + 1] = 'rate'
    changed[#changed + 1] = rate
  end
  write(keys, args, hour, row, lists, counts, changed)
  return table.concat(out, ' ')
end
