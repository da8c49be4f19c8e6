-- The ledger of one account: a list of operations, applied in order, in one atomic step.
--
-- The transitions are those of quota/ledger/account_ledger.cpp, answer for answer: a seeded simulation
-- holds the two against each other. Keys, arguments and answer are described in quota/README.md.
--
-- This is the hot path of the store. So the account is read once and written once a call, and whatever
-- can wait (holds, resolutions, usage counters) is written at the end, one command a key.
--
-- KEYS  account, holds, ledger, usage of the hour, grants; then `resolved` of each hour named below
-- ARGV  hour of the usage key; number of ids; hour of each `resolved` key; ids; operations
local call, format, floor, match = redis.call, string.format, math.floor, string.match
local find, sub = string.find, string.sub

local MAX = 4000000000000000     -- credits::max_micro; a double adds exactly to more than twice this
local MAX_USED = 10000000000000  -- max_used
local MAX_TIMEOUT = 604800000    -- max_hold_timeout
local MEMORY_HOURS = 48          -- resolution_memory_hours
local MAX_ENTRIES = 1000         -- max_entries_together

-- Integers are written with %d: Lua's own notation would say 1e+15. It goes through a C long.
if format('%d', MAX) ~= '4000000000000000' then
  return redis.error_reply('ERR the ledger needs a 64-bit server')
end

local time = call('TIME')
local now = time[1] * 1000 + floor(time[2] / 1000)
local hour = floor(time[1] / 3600)
local now_text = format('%d', now)

-- The client names the keys, by its own idea of the time. If it missed one, nothing is done, and it is
-- told our time and the hours whose `resolved` keys are needed besides.
if hour ~= tonumber(ARGV[1]) then return 'again ' .. now_text end

local row = call('HMGET', KEYS[1], 'granted', 'settled', 'held', 'expired', 'suspended', 'next_expiry',
                 'kept_hour')
local granted, settled, held = tonumber(row[1] or 0), tonumber(row[2] or 0), tonumber(row[3] or 0)
local suspended = row[5] == '1'
local next_expiry = tonumber(row[6] or 0)  -- no hold expires before this; 0: none is open
local kept_hour = tonumber(row[7] or 0)    -- the `resolved` key of this hour has its time to live
local available = granted - tonumber(row[4] or 0) - settled - held
local available_text = format('%d', available)
local before = {granted, settled, held, next_expiry, kept_hour}

local first_hour = -3  -- ARGV[first_hour + k] is the hour of KEYS[k], for k > 5
local first_id = #KEYS - 2
local first_operation = first_id + ARGV[2]

local open = {}                         -- id -> packed hold "amount expires hour by"
local fate = {}                         -- id -> resolution, of the holds resolved in this call
local fates = {}                        -- index in KEYS -> id -> resolution, as stored before it
local put, drop = {KEYS[2]}, {KEYS[2]}  -- HSET and HDEL of the holds
local resolved = {}                     -- index in KEYS -> HSET of that `resolved` key
local usage, counted = {}, {}           -- attribution -> {credits, calls, used}; in order of appearance
local swept = 0                         -- what the sweep gave back, until an operation has said so
local out = {now_text}                  -- the answer

local entries, written = {KEYS[3], '*'}, 2  -- XADD of the ledger: type and text of each entry
local function write_entries()
  if written == 2 then return end
  call('XADD', unpack(entries))
  entries, written = {KEYS[3], '*'}, 2
end

-- Amount, hour and `by`, found by their blanks: a pattern would look at every character of `by`.
local function unpack_hold(packed)
  local first = find(packed, ' ', 1, true)
  local second = find(packed, ' ', first + 1, true)
  local third = find(packed, ' ', second + 1, true)
  return sub(packed, 1, first - 1), sub(packed, second + 1, third - 1), sub(packed, third + 1)
end

local function move_available(by)
  available = available + by
  available_text = format('%d', available)
end

local said = 1
local function say(outcome, amount)
  said = said + 1
  out[said] = outcome .. ' ' .. amount .. ' ' .. available_text
end

-- Entries of one call share one element of the stream, which costs Redis a fraction of one each.
local function append(kind, subject, amount, released, overage, used, by)
  written = written + 2
  entries[written - 1] = kind
  entries[written] = amount .. ' ' .. released .. ' ' .. overage .. ' ' .. used .. ' ' .. available_text ..
                     ' ' .. subject .. '\t' .. by
  if written >= 2 + 2 * MAX_ENTRIES then write_entries() end
end

-- A record is kept for MEMORY_HOURS after the hour of the id, or after this one if that is later.
local function keep(key, id_hour)
  if id_hour == hour and kept_hour == hour then return end
  call('EXPIREAT', KEYS[key], (math.max(id_hour, hour) + MEMORY_HOURS + 1) * 3600)
  if id_hour == hour then kept_hour = hour end
end

-- Holds whose timeout has passed give their credits back. Returns the hours whose keys are missing.
local function sweep()
  local all, due, hold_of, earliest = call('HGETALL', KEYS[2]), {}, {}, 0
  local key_of, missing = {}, {}
  for key = 6, #KEYS do key_of[ARGV[first_hour + key]] = key end
  for i = 1, #all, 2 do
    local expires, id_hour = match(all[i + 1], '^%d+ (%d+) (%d+)')
    expires = tonumber(expires)
    if expires > now then
      if earliest == 0 or expires < earliest then earliest = expires end
    else
      due[#due + 1] = all[i]
      hold_of[all[i]] = all[i + 1]
      if not key_of[id_hour] then
        key_of[id_hour] = 0
        missing[#missing + 1] = id_hour
      end
    end
  end
  if #missing > 0 then return missing end
  table.sort(due)
  for _, id in ipairs(due) do
    local amount, id_hour, by = unpack_hold(hold_of[id])
    local key = key_of[id_hour]
    held = held - amount
    swept = swept + amount
    move_available(amount)
    call('HDEL', KEYS[2], id)
    call('HSET', KEYS[key], id, '14 ' .. amount)
    keep(key, tonumber(id_hour))
    append('expire', id, amount, '0', '0', '0', by)
  end
  next_expiry = earliest
  return missing
end

if next_expiry > 0 and next_expiry <= now then
  local missing = sweep()
  if #missing > 0 then return 'again ' .. now_text .. ' ' .. table.concat(missing, ' ') end
end

if first_operation > first_id then
  local found = call('HMGET', KEYS[2], unpack(ARGV, first_id, first_operation - 1))
  for i = 1, #found do open[ARGV[first_id + i - 1]] = found[i] end
end

local function resolve(id, key, record)
  open[id] = false
  fate[id] = record
  local list = resolved[key]
  if not list then
    list = {KEYS[key]}
    resolved[key] = list
  end
  list[#list + 1] = id
  list[#list + 1] = record
end

-- Reads what became of the ids of this call that are not open, in one command a key.
local function read_fates(key)
  local ids, count = {KEYS[key]}, 1
  for i = first_id, first_operation - 1 do
    if not open[ARGV[i]] then
      count = count + 1
      ids[count] = ARGV[i]
    end
  end
  local found, records = call('HMGET', unpack(ids)), {}
  for i = 2, count do records[ids[i]] = found[i - 1] end
  fates[key] = records
  return records
end

-- What became of a hold that is not open: outcome and amount, or nothing if nobody can tell.
local function fate_of(id, key)
  local record = fate[id] or (fates[key] or read_fates(key))[id]
  if record then return record:sub(1, 2), record:sub(4) end
  if tonumber(ARGV[first_hour + key]) < hour - MEMORY_HOURS then return '16', '0' end
end

-- Answers an operation on a hold that is not open. One that was never seen never will be: what it is to
-- be taken for from now on is remembered, and a reserve delayed on its way finds it.
local function gone(id, key, from_now_on, this_time)
  local how, standing = fate_of(id, key)
  if how then return say(how, standing) end
  resolve(id, key, from_now_on)
  say(this_time, '0')
end

-- Whether `more` can be held or settled: every total and balance stays within MAX.
local function fits(more)
  return settled + held + more <= MAX and available - more >= -MAX
end

local function is_amount(amount) return amount >= 0 and amount <= MAX end

-- Most operations of a call have the same timeout.
local timeout_seen, timeout_valid, expires, expires_text
local function is_timeout(timeout)
  if timeout ~= timeout_seen then
    local ms = tonumber(timeout)
    timeout_seen, timeout_valid, expires = timeout, ms >= 1 and ms <= MAX_TIMEOUT, now + ms
    expires_text = format('%d', expires)
  end
  return timeout_valid
end

local function hold(id, amount, id_hour, by)
  local packed = amount .. ' ' .. expires_text .. ' ' .. id_hour .. ' ' .. by
  if next_expiry == 0 or expires < next_expiry then next_expiry = expires end
  open[id] = packed
  put[#put + 1] = id
  put[#put + 1] = packed
end

-- r0 r1 r2 r3 (the digit is the admission): key amount timeout by
local function reserve(id, key, at, code)
  local amount_text, by = ARGV[at + 2], ARGV[at + 4]
  local amount = tonumber(amount_text)
  if not is_amount(amount) or not is_timeout(ARGV[at + 3]) then return say('22', amount_text) end
  if open[id] then
    local standing = match(open[id], '^%d+')
    return say(standing == amount_text and '10' or '11', standing)
  end
  local how, standing = fate_of(id, key)
  if how then return say(how, standing) end
  local refusal = suspended and '21' or (amount > 0 and available < amount and '20')
  if refusal and (code == 'r0' or (code == 'r1' and suspended)) then return say(refusal, amount_text) end
  if not fits(amount) then return say('22', amount_text) end

  held = held + amount
  move_available(-amount)
  hold(id, amount_text, ARGV[first_hour + key], by)
  append('reserve', id, amount_text, '0', '0', '0', by)
  say(refusal and '1' or '0', amount_text)
end

-- e0 e1 e2 e3: key amount timeout
local function extend(id, key, at, code)
  local amount_text = ARGV[at + 2]
  local amount = tonumber(amount_text)
  if not is_amount(amount) or not is_timeout(ARGV[at + 3]) then return say('22', amount_text) end
  if not open[id] then return gone(id, key, '15 0', '15') end
  local standing, id_hour, by = unpack_hold(open[id])
  local more = math.max(amount - standing, 0)
  if code == 'e0' and more > 0 and available < more then return say('20', amount_text) end
  if not fits(more) then return say('22', amount_text) end

  if more > 0 then
    held = held + more
    standing = amount_text
    move_available(-more)
    append('extend', id, format('%d', more), '0', '0', '0', by)
  end
  hold(id, standing, id_hour, by)
  say('2', standing)
end

local function count(who, amount, used)
  local counter = usage[who]
  if not counter then
    counter = {0, 0, 0}
    usage[who] = counter
    counted[#counted + 1] = who
  end
  counter[1], counter[2], counter[3] = counter[1] + amount, counter[2] + 1, counter[3] + used
end

-- s: key amount used
local function settle(id, key, at)
  local amount_text, used_text = ARGV[at + 2], ARGV[at + 3]
  local amount, used = tonumber(amount_text), tonumber(used_text)
  if not is_amount(amount) or used < 0 or used > MAX_USED then return say('22', amount_text) end
  if not open[id] then return gone(id, key, '15 0', '15') end
  local standing, _, by = unpack_hold(open[id])
  local release = standing - amount
  if not fits(-release) then return say('22', amount_text) end

  local posted = available + held  -- granted and neither expired nor settled
  local overage = math.max(amount - math.max(posted, 0), 0)
  held = held - standing
  settled = settled + amount
  if release ~= 0 then move_available(release) end
  drop[#drop + 1] = id
  resolve(id, key, '12 ' .. amount_text)
  count(sub(by, find(by, '\t', 1, true) + 1), amount, used)
  append('settle', id, amount_text, release == 0 and '0' or format('%d', release),
         overage == 0 and '0' or format('%d', overage), used_text, by)
  say('3', amount_text)
end

-- v: key
local function void(id, key)
  if not open[id] then return gone(id, key, '13 0', '4') end
  local standing, _, by = unpack_hold(open[id])
  held = held - standing
  move_available(standing)
  drop[#drop + 1] = id
  resolve(id, key, '13 ' .. standing)
  append('void', id, standing, '0', '0', '0', by)
  say('4', standing)
end

-- g: id amount kind note
local function grant(at)
  local id, amount_text, kind, note = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  local amount = tonumber(amount_text)
  if amount > MAX or amount < -MAX or (amount < 0 and kind ~= 'correction') then
    return say('22', amount_text)
  end
  local known = call('HGET', KEYS[5], id)
  if known then
    local standing = match(known, '^%S+')
    return say(standing == amount_text and '10' or '11', standing)
  end
  if math.abs(granted + amount) > MAX or math.abs(available + amount) > MAX then
    return say('22', amount_text)
  end
  granted = granted + amount
  move_available(amount)
  call('HSET', KEYS[5], id, amount_text .. ' ' .. now_text .. ' ' .. kind .. '\t' .. note)
  append('grant', id, amount_text, '0', '0', '0', kind .. '\t' .. note)
  say('6', amount_text)
end

-- The i-th operation that is about a hold has the i-th id.
local at, next_id = first_operation, first_id
while ARGV[at] do
  local code = ARGV[at]
  if code == 'x' then
    say('5', format('%d', swept))
    at = at + 1
  elseif code == 'g' then
    grant(at)
    at = at + 5
  else
    local id, key = ARGV[next_id], tonumber(ARGV[at + 1])
    next_id = next_id + 1
    if code == 's' then
      settle(id, key, at)
      at = at + 4
    elseif code == 'v' then
      void(id, key)
      at = at + 2
    elseif code:byte() == 114 then
      reserve(id, key, at, code)
      at = at + 5
    else
      extend(id, key, at, code)
      at = at + 4
    end
  end
  swept = 0
end

local function write_usage()
  local stored, write = call('HMGET', KEYS[4], unpack(counted)), {KEYS[4]}
  for i, who in ipairs(counted) do
    local counter = usage[who]
    if stored[i] then
      local amount, calls, used = match(stored[i], '^(%d+) (%d+) (%d+)$')
      counter[1], counter[2], counter[3] = counter[1] + amount, counter[2] + calls, counter[3] + used
    end
    write[#write + 1] = who
    write[#write + 1] = format('%d %d %d', counter[1], counter[2], math.min(counter[3], MAX))
  end
  call('HSET', unpack(write))
end

write_entries()
if #put > 1 then call('HSET', unpack(put)) end
if #drop > 1 then call('HDEL', unpack(drop)) end
for key, list in pairs(resolved) do
  call('HSET', unpack(list))
  keep(key, tonumber(ARGV[first_hour + key]))
end
if #counted > 0 then write_usage() end

local names = {'granted', 'settled', 'held', 'next_expiry', 'kept_hour'}
local write = {KEYS[1]}
for i, value in ipairs({granted, settled, held, next_expiry, kept_hour}) do
  if value ~= before[i] then
    write[#write + 1] = names[i]
    write[#write + 1] = format('%d', value)
  end
end
if #write > 1 then call('HSET', unpack(write)) end
return table.concat(out, ' ')
