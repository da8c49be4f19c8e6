-- Holds: open ones, and the resolution of the others.
local names, accounts, commands = require 'names', require 'accounts', require 'commands'
local send = commands.send
local call, format, find, sub, match = redis.call, string.format, string.find, string.sub, string.match
local say, hour_of_key, keep_resolutions_of = accounts.say, accounts.hour_of_key, accounts.keep_resolutions_of
local OUTCOME, MEMORY_HOURS = names.outcome, names.resolution_memory_hours
local MAX, MAX_TIMEOUT_MS = names.max_micro, names.max_hold_timeout_ms
local HOLDS = accounts.KEY.holds
local FORGOTTEN, SETTLED_ON_EXPIRY = OUTCOME.forgotten, OUTCOME.settled_on_expiry

local holds = {}

-- --- the text of a hold: "AMOUNT EXPIRES HOUR PLACED BY" ---

-- PLACED is "PLACED_MS", or "PLACED_MS/SEQUENCE" if a limit has counted the hold.
function holds.write_placed(placed, counted)
  return counted and format('%d/%d', placed, counted) or format('%d', placed)
end
local function read_placed(text)
  local placed = tonumber(text)
  if placed then return placed end
  local slash = find(text, '/', 1, true)
  return tonumber(sub(text, 1, slash - 1)), tonumber(sub(text, slash + 1))
end

-- Returns amount and hour (texts), the time when it was placed, `by`, and the sequence at which limits counted it. The
-- fields are found by their blanks: a pattern would examine every character of `by`.
function holds.unpack(packed)
  local first = find(packed, ' ', 1, true)
  local second = find(packed, ' ', first + 1, true)
  local third = find(packed, ' ', second + 1, true)
  local fourth = find(packed, ' ', third + 1, true)
  local placed, counted = read_placed(sub(packed, third + 1, fourth - 1))
  return sub(packed, 1, first - 1), sub(packed, second + 1, third - 1), placed, sub(packed, fourth + 1), counted
end

-- --- reading, and collecting writes ---

-- Reads the open holds of all ids of this call, in one command: `open`, id -> packed hold, false if it is not open.
function holds.read(account)
  local open, args = {}, account.args
  account.open = open
  local first, last = account.first_id, account.first_operation - 1
  if last == first then
    open[args[first]] = call('HGET', account.keys[HOLDS], args[first])
  elseif last > first then
    local found = call('HMGET', account.keys[HOLDS], unpack(args, first, last))
    for i = first, last do open[args[i]] = found[i - first + 1] end
  end
end

-- Collects writes of the holds: one HSET and one HDEL.
function holds.put(account, id, packed)
  account.open[id] = packed
  local put = account.put
  if not put then
    account.put = {account.keys[HOLDS], id, packed}
  else
    put[#put + 1] = id
    put[#put + 1] = packed
  end
end
function holds.drop(account, id)
  local drop = account.drop
  if drop then drop[#drop + 1] = id else account.drop = {account.keys[HOLDS], id} end
end

function holds.place(account, id, amount, id_hour, placed, by)
  local expires = account.expires
  if account.next_due == 0 or expires < account.next_due then account.next_due = expires end
  holds.put(account, id, amount .. ' ' .. account.expires_text .. ' ' .. id_hour .. ' ' .. placed .. ' ' .. by)
end

-- Records the resolution of a hold, or of an id that was never reserved: in `fate`, id -> resolution; and in
-- `resolved`, by the position of its key, the HSET for it.
local function resolve(account, id, key, record)
  account.open[id] = false
  local fate, resolved = account.fate, account.resolved
  if not fate then
    account.fate, account.resolved = {[id] = record}, {[key] = {account.keys[key], id, record}}
    return
  end
  fate[id] = record
  local list = resolved[key]
  if list then
    list[#list + 1] = id
    list[#list + 1] = record
  else
    resolved[key] = {account.keys[key], id, record}
  end
end
holds.resolve = resolve

function holds.save(account)
  if account.put then send('HSET', account.put) end
  if account.drop then send('HDEL', account.drop) end
  if not account.resolved then return end
  for key, list in pairs(account.resolved) do
    send('HSET', list)
    keep_resolutions_of(account, key, tonumber(hour_of_key(account, key)))
  end
end

-- --- resolutions ---

-- Reads the resolutions of the ids of this call that are not open, in one command per key: id -> resolution, as stored.
local function read_fates(account, key)
  local first, last, args = account.first_id, account.first_operation - 1, account.args
  local records = {}
  if last == first then
    records[args[first]] = call('HGET', account.keys[key], args[first])
  else
    local ids, count, open = {account.keys[key]}, 1, account.open
    for i = first, last do
      if not open[args[i]] then
        count = count + 1
        ids[count] = args[i]
      end
    end
    local found = call('HMGET', unpack(ids))
    for i = 2, count do records[ids[i]] = found[i - 1] end
  end
  local fates = account.fates
  if fates then fates[key] = records else account.fates = {[key] = records} end
  return records
end
local function stored_fate(account, id, key)
  local records = account.fates and account.fates[key] or read_fates(account, key)
  return records[id]
end

-- The resolution of a hold that is not open: outcome, amount and further details; nothing if it is unknown.
local function fate_of(account, id, key)
  local record = account.fate and account.fate[id] or stored_fate(account, id, key)
  if record then
    local outcome, amount = sub(record, 1, 2), sub(record, 4)
    if outcome ~= SETTLED_ON_EXPIRY then return outcome, amount end
    local charged, used, billed = match(amount, '^(%d+) (%d+)/?(%d*)$')
    return outcome, charged, 'U' .. used .. ',' .. (billed == '' and '0' or billed)
  end
  if tonumber(hour_of_key(account, key)) < account.hour - MEMORY_HOURS then return FORGOTTEN, '0' end
end
holds.fate_of = fate_of

-- Answers an operation on a hold that is not open. An id that was never seen cannot be used from now on: its resolution
-- is recorded, so that a delayed reserve finds it.
function holds.answer_gone(account, id, key, from_now_on, this_time)
  local outcome, standing, more = fate_of(account, id, key)
  if outcome then return say(account, outcome, standing, more) end
  resolve(account, id, key, from_now_on .. ' 0')
  say(account, this_time, '0')
end

-- --- bounds ---

-- Every balance stays within MAX, and so does the amount held. Amounts settled before do not count.
function holds.can_hold(account, more) return account.held + more <= MAX and account.available - more >= -MAX end

function holds.is_amount(amount) return amount >= 0 and amount <= MAX end

-- Whether a timeout is in bounds, and when it ends. Most operations of a call have the same timeout.
function holds.is_timeout(account, timeout)
  if timeout ~= account.timeout_seen then
    local ms = tonumber(timeout)
    account.timeout_seen, account.timeout_valid = timeout, ms >= 1 and ms <= MAX_TIMEOUT_MS
    account.expires = account.now + ms
    account.expires_text = format('%d', account.expires)
  end
  return account.timeout_valid
end

return holds
