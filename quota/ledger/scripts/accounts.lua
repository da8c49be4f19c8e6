-- The account as one call sees it: a table that the call makes and discards when it ends. The table holds everything
-- that a call knows or changes. The modules themselves hold no state that changes, so no call can see the state of an
-- earlier one.
--
-- Each call reads the account once and writes it once. Writes that can wait (holds, resolutions, usage counters) happen
-- at the end, in one command per key.
local names, gate = require 'names', require 'gate'
local call, format, floor, max = redis.call, string.format, math.floor, math.max
local SCHEMA, MAX_ENTRIES, MEMORY_HOURS =
    names.schema_version, names.max_entries_together, names.resolution_memory_hours

local accounts = {}

-- The positions of the keys. They are followed by `resolved` of each named hour: args[key - HOUR_OF_KEY].
accounts.KEY = {account = 1, holds = 2, ledger = 3, usage = 4, grants = 5, counters = 6, cycles = 7, top_ups = 8,
                late = 9, events = 10}
local ACCOUNT, LEDGER, EVENTS = 1, 3, 10
local FIRST_RESOLVED, FIRST_HOUR = 11, 4
local HOUR_OF_KEY = FIRST_RESOLVED - FIRST_HOUR
accounts.FIRST_RESOLVED, accounts.FIRST_HOUR, accounts.HOUR_OF_KEY = FIRST_RESOLVED, FIRST_HOUR, HOUR_OF_KEY
local GATE = 9  -- the position of the gate in the row
accounts.GATE = GATE
local WITHOUT_GATE = {__index = gate.NONE}

-- Time (ms) and hour of the store.
function accounts.read_time()
  local time = call('TIME')
  local seconds = tonumber(time[1])
  return seconds * 1000 + floor(time[2] / 1000), floor(seconds / 3600)
end

function accounts.read_row(key)
  return call('HMGET', key, 'schema', 'granted', 'settled', 'held', 'expired', 'suspended', 'next_due', 'kept_hour',
              'gate', 'rate', 'limits')
end

function accounts.make(keys, args, now, hour, row)
  local now_text = format('%d', now)
  local granted, settled, held = tonumber(row[2] or 0), tonumber(row[3] or 0), tonumber(row[4] or 0)
  local expired = tonumber(row[5] or 0)
  local next_due, kept_hour = tonumber(row[7] or 0), tonumber(row[8] or 0)
  local available = granted - expired - settled - held
  local rate, limits = row[10], row[11]
  return setmetatable({
    keys = keys, args = args, row = row, schema = row[1], now = now, now_text = now_text, hour = hour,
    granted = granted, settled = settled, held = held, expired = expired,
    available = available, available_text = format('%d', available),
    suspended = row[6] == '1',
    next_due = next_due,    -- no hold, grant or cycle ends before this; 0: none will end
    kept_hour = kept_hour,  -- the `resolved` key of this hour already has its time to live
    stored = {granted, settled, held, expired, next_due, kept_hour},
    rate = rate ~= '' and rate,
    limits = limits ~= '' and limits,
    first_id = accounts.first_id(keys),
    swept = 0,  -- the amount that the sweep gave back, until an operation reports it
    out = {now_text}, said = 1,
    entries = {keys[LEDGER], '*'}, written = 2,
  }, WITHOUT_GATE)
end

-- The position of the first id in the arguments: after the hours of the `resolved` keys.
function accounts.first_id(keys) return #keys - HOUR_OF_KEY + 1 end

-- The account's sequence: numbers the limits that were set, and their counters that were reset.
function accounts.last_of_sequence(account)
  local last = account.last_in_sequence
  if not last then
    last = tonumber(call('HGET', account.keys[ACCOUNT], 'sequence') or 0)
    account.last_in_sequence = last
  end
  return last
end

-- If the clock is set back, the account's time does not go back before `old_before`.
function accounts.keep_clock(account)
  if account.now < account.old_before then
    account.now = account.old_before
    account.now_text = format('%d', account.now)
  end
end

function accounts.hour_of_key(account, key) return account.args[key - HOUR_OF_KEY] end

-- --- the answer ---

function accounts.say(account, outcome, amount, more)
  local out, said = account.out, account.said + 3
  out[said - 2], out[said - 1], out[said] = outcome, amount, account.available_text
  if more then
    said = said + 1
    out[said] = more
  end
  account.said = said
end

function accounts.move_available(account, by)
  local available = account.available + by
  account.available, account.available_text = available, format('%d', available)
end

-- --- ledger entries ---

local function write_entries(account)
  if account.written == 2 then return end
  call('XADD', unpack(account.entries))
  account.entries, account.written = {account.keys[LEDGER], '*'}, 2
end
accounts.write_entries = write_entries

-- Entries of one call share one element of the stream. An element for each would cost Redis several times as much.
function accounts.append(account, kind, subject, amount, released, overage, used, in_cycle, by)
  local entries, written = account.entries, account.written + 2
  account.written = written
  entries[written - 1] = kind
  entries[written] = amount .. ' ' .. released .. ' ' .. overage .. ' ' .. used .. ' ' .. account.available_text ..
                     ' ' .. in_cycle .. ' ' .. subject .. '\t' .. by
  if written >= 2 + 2 * MAX_ENTRIES then write_entries(account) end
end

-- --- events: what has happened that a subscriber may want to know ---

-- Facts are alternating names and values.
function accounts.emit(account, kind, ...)
  local facts = {...}
  for i = 1, #facts do
    if type(facts[i]) == 'number' then facts[i] = format('%d', facts[i]) end
  end
  local events = account.events or {}
  account.events = events
  events[#events + 1] = {kind, table.concat(facts, ' ')}
end

function accounts.write_events(account)
  for _, event in ipairs(account.events or {}) do
    call('XADD', account.keys[EVENTS], 'MAXLEN', '~', '10000', '*', event[1], event[2])
  end
end

-- --- small values that are written at once ---

-- Takes the next number of the account's sequence. These numbers, not times, decide whether a counter has counted a
-- hold, because the clock may be set to any time.
function accounts.next_of_sequence(account, at_least)
  local next = max(accounts.last_of_sequence(account) + 1, at_least)
  account.last_in_sequence = next
  call('HSET', account.keys[ACCOUNT], 'sequence', format('%d', next))
  return next
end

-- Sets the time to live of a `resolved` key: MEMORY_HOURS after the hour of its ids, or after the current hour if that
-- is later. Returns the hour whose key now has one.
local function keep_resolutions(key, id_hour, hour, kept_hour)
  if id_hour == hour and kept_hour == hour then return kept_hour end
  call('EXPIREAT', key, (max(id_hour, hour) + MEMORY_HOURS + 1) * 3600)
  return id_hour == hour and hour or kept_hour
end
accounts.keep_resolutions = keep_resolutions
function accounts.keep_resolutions_of(account, key, id_hour)
  account.kept_hour = keep_resolutions(account.keys[key], id_hour, account.hour, account.kept_hour)
end

-- --- writing the account ---

local TOTALS = {'granted', 'settled', 'held', 'expired', 'next_due', 'kept_hour'}

function accounts.write(account)
  local plan_due, stored, row = account.plan_due, account.stored, account.row
  if plan_due > 0 and (account.next_due == 0 or plan_due < account.next_due) then account.next_due = plan_due end
  local write, size = {account.keys[ACCOUNT]}, 1
  for i = 1, #TOTALS do
    local name = TOTALS[i]
    local value = account[name]
    if value ~= stored[i] then
      write[size + 1], write[size + 2] = name, format('%d', value)
      size = size + 2
    end
  end
  if (account.rate or '') ~= (row[10] or '') then
    write[size + 1], write[size + 2] = 'rate', account.rate or ''
    size = size + 2
  end
  if account.critical_rate then
    write[size + 1], write[size + 2] = 'critical_rate', account.critical_rate
    size = size + 2
  end
  -- Not this field alone: a store that takes no writes still answers a refusal or a repeated operation.
  if account.schema ~= SCHEMA and (size > 1 or account.plan_changed) then
    write[size + 1], write[size + 2] = 'schema', SCHEMA
    size = size + 2
  end
  if size > 1 then call('HSET', unpack(write)) end
end

return accounts
