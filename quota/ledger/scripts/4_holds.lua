-- The operations, and what is written at the end.
--
-- All of it is one function, though it is called once. A function that is made at the outermost level looks
-- for each variable it shares among all that are shared already, from the last to the first; one that is
-- made inside another finds the other's at once. Of a call for one hold that was a tenth of the time.
local function serve()
  -- Named again: what a function has of its own costs nothing until it is called.
  local call, format, floor, match = redis.call, string.format, math.floor, string.match
  local find, sub, min, max = string.find, string.sub, math.min, math.max
  local MAX = 4000000000000000     -- credits::max_micro
  local MAX_USED = 10000000000000  -- max_used
  local MAX_TIMEOUT = 604800000    -- max_hold_timeout

  local first_hour = -8  -- ARGV[first_hour + k] is the hour of KEYS[k], for k > 10
  local first_id = #KEYS - 7
  local first_operation = first_id + ARGV[2]

  local open = {}                         -- id -> packed hold "amount expires hour placed by"
  local fate = {}                         -- id -> resolution, of the holds resolved in this call
  local fates = {}                        -- index in KEYS -> id -> resolution, as stored before it
  local put, drop = {KEYS[2]}, {KEYS[2]}  -- HSET and HDEL of the holds
  local resolved = {}                     -- index in KEYS -> HSET of that `resolved` key
  local usage, counted = {}, {}           -- attribution -> {credits, calls, used}; in order of appearance
  local late, counted_late = {}, {}       -- likewise, "hour attribution": of cycles that have closed
  local swept = 0                         -- what the sweep gave back, until an operation has said so

  -- The cycle in whose books a hold is.
  local function cycle_of(placed)
    if placed >= cycle_start or cycle == '0' then return cycle end
    return format('%d', books_to_read().cycle_at(placed))
  end

  -- Holds whose timeout has passed give their credits back. Returns the hours whose keys are missing.
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
    for _, id in ipairs(due) do
      local amount, id_hour, placed, by = unpack_hold(hold_of[id])
      local key = key_of[id_hour]
      held = held - amount
      swept = swept + amount
      move_available(amount)
      call('HDEL', KEYS[2], id)
      call('HSET', KEYS[key], id, '14 ' .. amount)
      keep(key, tonumber(id_hour))
      count_limits(by, placed, -amount)
      append('expire', id, amount, '0', '0', '0', cycle_of(placed), by)
      if placed < old_before then
        outlived = true
        books().release_claims(placed, amount)
      end
    end
    if outlived then books().forfeit_unclaimed() end
    next_due = earliest
    return missing
  end

  if next_due > 0 and next_due <= now then
    local missing = sweep()
    if #missing > 0 then return 'again ' .. now_text .. ' ' .. table.concat(missing, ' ') end
    if plan_due > 0 and plan_due <= now then books().advance() end
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

  local function hold(id, amount, id_hour, placed, by)
    local packed = amount .. ' ' .. expires_text .. ' ' .. id_hour .. ' ' .. placed .. ' ' .. by
    if next_due == 0 or expires < next_due then next_due = expires end
    open[id] = packed
    put[#put + 1] = id
    put[#put + 1] = packed
  end

  -- What stands in the way of holding `more`: outcome, what there is to say about it, and whether a
  -- critical call is refused, too.
  local function objection(more, by, critical, placed, standing)
    local beyond = more - available - max(room, 0)
    local money = room >= 0 and '24' or '20'
    if beyond > 0 and critical and overdraft >= 0 and beyond > overdraft then
      return money, nil, true
    end
    local limited = limits and members().objection(more, by, placed, standing)
    if limited then return '25', limited end
    if beyond > 0 then return money end
  end

  -- What would have been admitted, when the next credits come, and whether some have been asked for. Of the
  -- first refusal somebody may want to be told.
  local function refuse_for_money(outcome, amount, more)
    local untold = outcome == '20' and told % 2 == 0 or outcome == '24' and told < 2
    say(outcome, amount, format('%s W%d,%d,0,3,0,%d', more, max(available + max(room, 0), 0), until_then,
                                top_up_open))
    if untold then books().tell_refused(outcome) end
  end

  -- The request rate: a bucket in which a request is 60,000 and out of which the requests of a minute run
  -- each millisecond. Returns what an answer says of it, and when there will be one if there is none now.
  local function take_request()
    local per_minute, burst, level, at = match(rate, '^(%d+) (%d+) (%d+) (%d+)$')
    per_minute, burst, level = tonumber(per_minute), tonumber(burst), tonumber(level)
    local elapsed = min(max(now - at, 0), 1000000000)
    level = max(level - elapsed * per_minute, 0)
    local excess, wait = level + 60000 - burst * 60000, nil
    if excess <= 0 then
      level = level + 60000
    else
      wait = format(' W0,%d,0,3,0,0', now - floor(-excess / per_minute))
    end
    rate = format('%d %d %d %d', per_minute, burst, level, now)
    return format(' R%d,%d,%d,%d', per_minute, burst, floor((burst * 60000 - level) / 60000),
                  now - floor(-level / per_minute)), wait
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

    local rate_text, refusal, why, final = '', nil, nil, true
    if suspended then
      refusal = '21'
    else
      if rate and (code == 'r0' or code == 'r1') then
        rate_text, why = take_request()
        refusal = why and '23'
      end
      if not refusal and amount > 0 and (limits or available < amount) then
        refusal, why, final = objection(amount, by, code == 'r1')
      end
    end
    if refusal and (code == 'r0' or (code == 'r1' and final)) then
      if refusal == '20' or refusal == '24' then return refuse_for_money(refusal, amount_text, rate_text) end
      return say(refusal, amount_text, rate_text .. (why or ''))
    end
    if not fits(amount) then return say('22', amount_text, rate_text) end

    held = held + amount
    move_available(-amount)
    hold(id, amount_text, ARGV[first_hour + key], now_text, by)
    count_limits(by, now, amount)
    append('reserve', id, amount_text, '0', '0', '0', cycle, by)
    say(refusal and '1' or '0', amount_text, rate_text)
  end

  -- e0 e1 e2 e3: key amount timeout
  local function extend(id, key, at, code)
    local amount_text = ARGV[at + 2]
    local amount = tonumber(amount_text)
    if not is_amount(amount) or not is_timeout(ARGV[at + 3]) then return say('22', amount_text) end
    if not open[id] then return gone(id, key, '15 0', '15') end
    local standing, id_hour, placed, by = unpack_hold(open[id])
    local more = max(amount - standing, 0)
    if more > 0 and (limits or available < more) and (code == 'e0' or code == 'e1') then
      local refusal, why, final = objection(more, by, code == 'e1', placed, standing)
      if refusal and (code == 'e0' or final) then
        if refusal ~= '25' then return refuse_for_money(refusal, amount_text, '') end
        return say(refusal, amount_text, why)
      end
    end
    if not fits(more) then return say('22', amount_text) end

    if more > 0 then
      held = held + more
      standing = amount_text
      move_available(-more)
      if placed < old_before then books().release_claims(placed, -more) end
      count_limits(by, placed, more)
      append('extend', id, format('%d', more), '0', '0', '0', cycle_of(placed), by)
    end
    hold(id, standing, id_hour, format('%d', placed), by)
    say('2', standing)
  end

  local function count(into, order, who, amount, used)
    local counter = into[who]
    if not counter then
      counter = {0, 0, 0}
      into[who] = counter
      order[#order + 1] = who
    end
    counter[1], counter[2], counter[3] = counter[1] + amount, counter[2] + 1, counter[3] + used
  end

  -- s: key amount used
  local function settle(id, key, at)
    local amount_text, used_text = ARGV[at + 2], ARGV[at + 3]
    local amount, used = tonumber(amount_text), tonumber(used_text)
    if not is_amount(amount) or used < 0 or used > MAX_USED then return say('22', amount_text) end
    if not open[id] then return gone(id, key, '15 0', '15') end
    local standing, _, placed, by = unpack_hold(open[id])
    local release = standing - amount
    if not fits(-release) then return say('22', amount_text) end

    local old, to_bill, overage, booked_in = placed < old_before, 0, 0, nil
    if old then
      local beyond
      to_bill, beyond, booked_in = books().use_late(placed, amount)
      overage = to_bill + beyond
    else
      overage = max(amount - max(available + held - kept, 0), 0)
    end
    local in_cycle = cycle_of(placed)
    held = held - standing
    settled = settled + amount
    if release ~= 0 then move_available(release) end
    drop[#drop + 1] = id
    resolve(id, key, '12 ' .. amount_text)
    count_limits(by, placed, -release)
    local who = sub(by, find(by, '\t', 1, true) + 1)
    if booked_in then
      count(late, counted_late, format('%d', booked_in) .. '\t' .. who, amount, used)
    else
      count(usage, counted, who, amount, used)
    end
    append('settle', id, amount_text, release == 0 and '0' or format('%d', release),
           overage == 0 and '0' or format('%d', overage), used_text, in_cycle, by)
    if to_bill > 0 then books().bill(to_bill, tonumber(in_cycle)) end
    if old then
      books().release_claims(placed, tonumber(standing))
      books().forfeit_unclaimed()
    end
    if member_alerts and in_cycle == cycle then members().settled(by, amount) end
    say('3', amount_text)
  end

  -- v: key
  local function void(id, key)
    if not open[id] then return gone(id, key, '13 0', '4') end
    local standing, _, placed, by = unpack_hold(open[id])
    held = held - standing
    move_available(standing)
    drop[#drop + 1] = id
    resolve(id, key, '13 ' .. standing)
    count_limits(by, placed, -standing)
    append('void', id, standing, '0', '0', '0', cycle_of(placed), by)
    if placed < old_before then
      books().release_claims(placed, tonumber(standing))
      books().forfeit_unclaimed()
    end
    say('4', standing)
  end

  -- g: id amount kind note expires priority
  local function grant(at)
    local id, amount_text, kind, note = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
    local amount, expires = tonumber(amount_text), tonumber(ARGV[at + 5])
    local priority = tonumber(ARGV[at + 6]) or books_to_read().priority_of(kind)
    if amount > MAX or amount < -MAX or (amount < 0 and kind ~= 'correction') or priority < 0 or
       priority > 100 or (expires ~= 0 and expires <= now) then
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
    call('HSET', KEYS[5], id, amount_text .. ' ' .. now_text .. format(' %d %d ', expires, priority) ..
         kind .. '\t' .. note)
    books().add_grant(id, kind, amount, priority, expires, note)
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
      at = at + 7
    elseif code == 'c' then
      books().configure(ARGV[at + 1] == '1', tonumber(ARGV[at + 2]), ARGV[at + 3], ARGV[at + 4], ARGV[at + 5],
                        ARGV[at + 6])
      at = at + 7
    elseif code == 't' then
      books().request_top_up(ARGV[at + 1], tonumber(ARGV[at + 2]))
      at = at + 3
    elseif code == 'l' then
      books().lease_top_up(ARGV[at + 1], tonumber(ARGV[at + 2]))
      at = at + 3
    elseif code == 'p' then
      books().resolve_top_up(ARGV[at + 1], ARGV[at + 2])
      at = at + 3
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
    if threshold >= 0 and available < threshold and not suspended then books().watch_threshold() end
    if (alert_at >= 0 and settled >= alert_at) or books_changed then books().watch_alerts() end
  end

  local function write_counters(key, into, order)
    local stored, write = call('HMGET', key, unpack(order)), {key}
    for i, who in ipairs(order) do
      local counter = into[who]
      if stored[i] then
        local amount, calls, used = match(stored[i], '^(%d+) (%d+) (%d+)$')
        counter[1], counter[2], counter[3] = counter[1] + amount, counter[2] + calls, counter[3] + used
      end
      write[#write + 1] = who
      write[#write + 1] = format('%d %d %d', counter[1], counter[2], min(counter[3], MAX))
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
  if #counted > 0 then write_counters(KEYS[4], usage, counted) end
  if #counted_late > 0 then write_counters(KEYS[9], late, counted_late) end
  if members_opened then members_opened.save() end
  if books_changed then books_opened.save() end
  for _, event in ipairs(events or {}) do
    call('XADD', KEYS[10], 'MAXLEN', '~', '10000', '*', event[1], event[2])
  end

  if plan_due > 0 and (next_due == 0 or plan_due < next_due) then next_due = plan_due end
  local names = {'granted', 'settled', 'held', 'expired', 'next_due', 'kept_hour'}
  local write = {KEYS[1]}
  for i, value in ipairs({granted, settled, held, expired, next_due, kept_hour}) do
    if value ~= before[i] then
      write[#write + 1] = names[i]
      write[#write + 1] = format('%d', value)
    end
  end
  if (rate or '') ~= (row[9] or '') then
    write[#write + 1] = 'rate'
    write[#write + 1] = rate or ''
  end
  if #write > 1 then call('HSET', unpack(write)) end
  if top_up_due then out[#out + 1] = 'T' end
  if events then out[#out + 1] = 'E' end
  return table.concat(out, ' ')
end

return serve()
