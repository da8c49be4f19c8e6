-- The ledger of one account: a list of operations, applied in order, in one atomic step.
--
-- The transitions are those of quota/ledger/account_ledger.cpp and its neighbours, answer for answer: a
-- seeded simulation holds the two against each other. Keys, arguments and answer are described in
-- quota/README.md. The files of this folder, in the order of their names, are one script:
--
--   1_account   what is read in every call, and what everything below uses
--   2_books_*   plans, cycles, grants, bills and top-ups: made only by calls that need them
--   3_members   likewise what agents, conversations and keys use, for their limits and alerts
--   4_holds_*   the operations, and what is written at the end
--
-- This is the hot path of the store. So the account is read once and written once a call, and whatever
-- can wait (holds, resolutions, usage counters) is written at the end, one command a key. Of a plan, a
-- call for a hold needs twelve numbers, which stand ready in one field, the gate; the rest of it is read
-- only when the clock, a refusal or a threshold asks for it.
--
-- KEYS  account, holds, ledger, usage of the hour, grants, counters, cycles, top_ups, late, events; then
--       `resolved` of each hour named below
-- ARGV  hour of the usage key; number of ids; after how many idle hours totals are packed; hour of each `resolved` key;
--       ids; operations
local call, format, floor, match = redis.call, string.format, math.floor, string.match
local find, sub, min, max = string.find, string.sub, math.min, math.max

local MAX = 4000000000000000  -- credits::max_micro; a double adds exactly to more than twice this
local pack_after = tonumber(ARGV[3])  -- idle hours; 0: never
local MEMORY_HOURS = 48       -- resolution_memory_hours
local MAX_ENTRIES = 1000      -- max_entries_together

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

local row = call('HMGET', KEYS[1], 'granted', 'settled', 'held', 'expired', 'suspended', 'next_due',
                 'kept_hour', 'gate', 'rate', 'limits')
local granted, settled, held = tonumber(row[1] or 0), tonumber(row[2] or 0), tonumber(row[3] or 0)
local expired = tonumber(row[4] or 0)
local suspended = row[5] == '1'
local next_due = tonumber(row[6] or 0)   -- no hold, grant or cycle ends before this; 0: nothing will
local kept_hour = tonumber(row[7] or 0)  -- the `resolved` key of this hour has its time to live
local available = granted - expired - settled - held
local available_text = format('%d', available)
local before = {granted, settled, held, expired, next_due, kept_hour}

local out = {now_text}  -- the answer

-- The gate; see refresh() in 2_books_4 for what the numbers are. -1: there is none.
local cycle, cycle_start, old_before, kept, room, overdraft, threshold, plan_due
    = '0', 0, 0, 0, -1, -1, -1, 0
local until_then, top_up_open, alert_at, told = 0, 0, -1, 3
if row[8] then
  local a, b, c, d, e, f, g, h, i, j, k, l =
      match(row[8], '^(%d+) (%d+) (%d+) (%d+) (%S+) (%S+) (%S+) (%d+) (%d+) (%d) (%S+) (%d)$')
  cycle, cycle_start, old_before, kept = a, tonumber(b), tonumber(c), tonumber(d)
  room, overdraft, threshold, plan_due = tonumber(e), tonumber(f), tonumber(g), tonumber(h)
  until_then, top_up_open, alert_at, told = tonumber(i), tonumber(j), tonumber(k), tonumber(l)
  if now < old_before then  -- a clock that goes back does not go back behind what has ended
    now = old_before
    now_text = format('%d', now)
  end
end
local member_alerts = false  -- text, see open_members() in 3_members.lua; true: there is one, not yet read
if told > 3 then told, member_alerts = told - 4, true end
local rate, limits = row[9], row[10]
if rate == '' then rate = false end
if limits == '' then limits = false end

local top_up_due = false  -- a top-up waits to be delivered
local events = nil        -- what has happened that somebody may want to be told of

local entries, written = {KEYS[3], '*'}, 2  -- XADD of the ledger: type and text of each entry
local function write_entries()
  if written == 2 then return end
  call('XADD', unpack(entries))
  entries, written = {KEYS[3], '*'}, 2
end

-- The account's sequence: a number that grows whenever a limit is set, or a counter of one begins to count anew. So
-- whether a counter has counted a hold is told by numbers, not by times: the clock may be anywhere. With `at_least` the
-- next number is taken.
local last_of_sequence = false
local function sequence(at_least)
  last_of_sequence = last_of_sequence or tonumber(call('HGET', KEYS[1], 'sequence') or 0)
  if at_least then
    last_of_sequence = max(last_of_sequence + 1, at_least)
    call('HSET', KEYS[1], 'sequence', format('%d', last_of_sequence))
  end
  return last_of_sequence
end

-- "PLACED_MS", or of a hold that a limit has counted "PLACED_MS/SEQUENCE".
local function write_placed(placed, counted)
  return counted and format('%d/%d', placed, counted) or format('%d', placed)
end
local function read_placed(text)
  local placed = tonumber(text)
  if placed then return placed end
  local slash = find(text, '/', 1, true)
  return tonumber(sub(text, 1, slash - 1)), tonumber(sub(text, slash + 1))
end
-- Amount, hour, when it was placed, `by`, and the sequence at which limits counted it, found by their blanks: a
-- pattern would look at every character of `by`.
local function unpack_hold(packed)
  local first = find(packed, ' ', 1, true)
  local second = find(packed, ' ', first + 1, true)
  local third = find(packed, ' ', second + 1, true)
  local fourth = find(packed, ' ', third + 1, true)
  local placed, counted = read_placed(sub(packed, third + 1, fourth - 1))
  return sub(packed, 1, first - 1), sub(packed, second + 1, third - 1), placed, sub(packed, fourth + 1), counted
end

local function move_available(by)
  available = available + by
  available_text = format('%d', available)
end

local said = 1
local function say(outcome, amount, more)
  said = said + 1
  out[said] = outcome .. ' ' .. amount .. ' ' .. available_text .. (more or '')
end

-- Entries of one call share one element of the stream, which costs Redis a fraction of one each.
local function append(kind, subject, amount, released, overage, used, in_cycle, by)
  written = written + 2
  entries[written - 1] = kind
  entries[written] = amount .. ' ' .. released .. ' ' .. overage .. ' ' .. used .. ' ' .. available_text ..
                     ' ' .. in_cycle .. ' ' .. subject .. '\t' .. by
  if written >= 2 + 2 * MAX_ENTRIES then write_entries() end
end

-- A record is kept for MEMORY_HOURS after the hour of the id, or after this one if that is later.
local function keep(key, id_hour)
  if id_hour == hour and kept_hour == hour then return end
  call('EXPIREAT', KEYS[key], (max(id_hour, hour) + MEMORY_HOURS + 1) * 3600)
  if id_hour == hour then kept_hour = hour end
end
