-- The operations, and what is written at the end; here they begin, with the holds that have timed out.
--
-- All of it is one function, though it is called once. A function that is made at the outermost level looks
-- for each variable it shares among all that are shared already, from the last to the first; one that is
-- made inside another finds the other's at once. Of a call for one hold that was a tenth of the time.
local function serve()
  -- Named again: what a function has of its own costs nothing until it is called.
  local call, format, floor, match = redis.call, string.format, math.floor, string.match
  local find, sub, min, max = string.find, string.sub, math.min, math.max
  local MAX = 4000000000000000     -- credits::max_micro
  local CARRY = 1000000000000000   -- as in 2_books_3
  local MAX_USED = 10000000000000  -- max_used
  local MAX_TIMEOUT = 604800000    -- max_hold_timeout

  local first_hour = -7  -- ARGV[first_hour + k] is the hour of KEYS[k], for k > 10
  local first_id = #KEYS - 6
  local first_operation = first_id + ARGV[2]

  local open = {}                         -- id -> packed hold "amount expires hour placed by"
  local fate = {}                         -- id -> resolution, of the holds resolved in this call
  local fates = {}                        -- index in KEYS -> id -> resolution, as stored before it
  local put, drop = {KEYS[2]}, {KEYS[2]}  -- HSET and HDEL of the holds
  local resolved = {}                     -- index in KEYS -> HSET of that `resolved` key
  local usage, counted = {}, {}           -- attribution -> {credits, calls, used}; in order of appearance
  local late, counted_late = {}, {}       -- likewise, "hour attribution": of cycles that have closed
  local swept = 0                         -- what the sweep gave back, until an operation has said so
  local answered = {}                     -- what has timed out when its answer had begun: {id, key}

  -- The cycle in whose books a hold is.
  local function cycle_of(placed)
    if placed >= cycle_start or cycle == '0' then return cycle end
    return format('%d', books_to_read().cycle_at(placed))
  end

  -- Holds whose timeout has passed give their credits back; those whose answer has begun (":AMOUNT:USED"
  -- behind the hour) are put down to be settled. Returns the hours whose keys are missing.
  local function sweep()
    local all, due, hold_of, earliest = call('HGETALL', KEYS[2]), {}, {}, 0
    local key_of, missing = {}, {}
    for key = 11, #KEYS do key_of[ARGV[first_hour + key]] = key end
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
    local outlived = false
    local function give_back(id, amount, id_hour, placed, by, counted_at)
      local key = key_of[id_hour]
      held = held - amount
      swept = swept + amount
      move_available(amount)
      call('HDEL', KEYS[2], id)
      call('HSET', KEYS[key], id, '14 ' .. amount)
      keep(key, tonumber(id_hour))
      count_limits(by, placed, counted_at, -amount)
      append('expire', id, amount, '0', '0', '0', cycle_of(placed), by)
      if placed < old_before or kept > 0 then
        outlived = true
        books().release_claims(placed, amount)
      end
    end
    for _, id in ipairs(due) do
      local amount, id_hour, placed, by, counted_at = unpack_hold(hold_of[id])
      if find(id_hour, ':', 1, true) then
        answered[#answered + 1] = {id, key_of[match(id_hour, '^%d+')]}
      else
        give_back(id, amount, id_hour, placed, by, counted_at)
      end
    end
    if outlived then books().forfeit_unclaimed() end
    next_due = earliest
    return missing
  end

  if limits and sequence() == 0 then members().note_what_was_counted() end
  if next_due > 0 and next_due <= now then
    local missing = sweep()
    if #missing > 0 then return 'again ' .. now_text .. ' ' .. table.concat(missing, ' ') end
    if plan_due > 0 and plan_due <= now then books().advance() end
  end

  if first_operation > first_id then
    local found = call('HMGET', KEYS[2], unpack(ARGV, first_id, first_operation - 1))
    for i = 1, #found do open[ARGV[first_id + i - 1]] = found[i] end
  end
