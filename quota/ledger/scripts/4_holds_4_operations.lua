-- In serve(): the operations on holds, and grants.

  -- r0 r1 r2 r3 (the digit is the admission): key amount timeout by
  local function reserve(id, key, at, code)
    local amount_text, by = ARGV[at + 2], ARGV[at + 4]
    local amount = tonumber(amount_text)
    if not is_amount(amount) or not is_timeout(ARGV[at + 3]) then return say('22', amount_text) end
    if open[id] then
      local standing = match(open[id], '^%d+')
      return say(standing == amount_text and '10' or '11', standing)
    end
    local how, standing, more = fate_of(id, key)
    if how then
      -- Who is told so goes on under another id: this one is not held should the clock be set back.
      if how == '16' then resolve(id, key, '16 0') end
      return say(how, standing, more)
    end

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
      if refusal == '20' or refusal == '24' then return refuse_for_money(refusal, amount_text, rate_text, amount, 0) end
      return say(refusal, amount_text, rate_text .. (why or ''))
    end
    if not can_hold(amount) then return say('22', amount_text, rate_text) end

    held = held + amount
    move_available(-amount)
    local counted_at = limits and members().count_new(by, amount)
    hold(id, amount_text, ARGV[first_hour + key], counted_at and write_placed(now, counted_at) or now_text, by)
    append('reserve', id, amount_text, '0', '0', '0', cycle, by)
    say(refusal and '1' or '0', amount_text, rate_text)
  end

  -- e0 e1 e2 e3: key amount timeout needed answered
  local function extend(id, key, at, code)
    local function is_answer(said)
      local charge, used, billed = match(said, '^(%S+):(%-?%d+)/?(%-?%d*)$')
      charge, used, billed = tonumber(charge), tonumber(used), billed == '' and 0 or tonumber(billed)
      return is_amount(charge) and used >= 0 and used <= MAX_USED and billed >= 0 and billed <= MAX_USED
    end
    -- "CHARGE:USED" behind the hour of a hold: that its answer has begun. Never less than was said before.
    local function with_answer(id_hour, said)
      local bare, before = match(id_hour, '^(%d+):?(%d*)')
      if before ~= '' and tonumber(match(said, '^%d+')) < tonumber(before) then return id_hour end
      return bare .. ':' .. said
    end
    local amount_text, said = ARGV[at + 2], ARGV[at + 5]
    local amount = tonumber(amount_text)
    if not is_amount(amount) or not is_timeout(ARGV[at + 3]) or (said ~= '' and not is_answer(said)) then
      return say('22', amount_text)
    end
    if not open[id] then return gone(id, key, '15 0', '15') end
    local standing, id_hour, placed, by, counted_at = unpack_hold(open[id])
    local more = max(amount - standing, 0)
    if more > 0 and (limits or available < more) and (code == 'e0' or code == 'e1') then
      local refusal, why, final = objection(more, by, code == 'e1', placed, standing, counted_at)
      if refusal and (code == 'e0' or final) then
        if refusal ~= '25' then
          return refuse_for_money(refusal, amount_text, '', tonumber(ARGV[at + 4]), standing)
        end
        return say(refusal, amount_text, why)
      end
    end
    if not can_hold(more) then return say('22', amount_text) end

    if more > 0 then
      held = held + more
      standing = amount_text
      move_available(-more)
      if placed < old_before then books().release_claims(placed, -more) end
      count_limits(by, placed, counted_at, more)
      append('extend', id, format('%d', more), '0', '0', '0', cycle_of(placed), by)
    end
    if said ~= '' then id_hour = with_answer(id_hour, said) end
    hold(id, standing, id_hour, write_placed(placed, counted_at), by)
    say('2', standing)
  end

  -- d: key amount
  local function release(id, key, at)
    local amount_text = ARGV[at + 2]
    local amount = tonumber(amount_text)
    if not is_amount(amount) then return say('22', amount_text) end
    local packed = open[id]
    if not packed then return gone(id, key, '15 0', '15') end
    local standing, _, placed, by, counted_at = unpack_hold(packed)
    local less = standing - amount
    if less <= 0 then return say('9', standing) end
    held = held - less
    move_available(less)
    open[id] = amount_text .. sub(packed, #standing + 1)
    put[#put + 1] = id
    put[#put + 1] = open[id]
    count_limits(by, placed, counted_at, -less)
    append('extend', id, format('%d', -less), '0', '0', '0', cycle_of(placed), by)
    if placed < old_before or kept > 0 then
      books().release_claims(placed, less)
      books().forfeit_unclaimed()
    end
    say('9', amount_text)
  end

  local function count(into, order, who, amount, used, billed)
    local counter = into[who]
    if not counter then
      counter = {0, 0, 0, billed = 0}  -- and how often MAX besides
      into[who] = counter
      order[#order + 1] = who
    end
    counter[1], counter[2], counter[3] = counter[1] + amount, counter[2] + 1, counter[3] + used
    counter.billed = counter.billed + billed
    if counter[1] >= MAX then counter[1], counter[4] = counter[1] - MAX, (counter[4] or 0) + 1 end
  end

  -- "USED", or of audio "USED/BILLED_US".
  local function read_used(text)
    local used = tonumber(text)
    if used then return used, 0 end
    local slash = find(text, '/', 1, true)
    return tonumber(sub(text, 1, slash - 1)), tonumber(sub(text, slash + 1))
  end

  -- s: key amount used. Or, of a hold that has timed out, `on_expiry`: nothing is said. False: it is out of range.
  local function settle(id, key, amount_text, used_text, on_expiry)
    local amount = tonumber(amount_text)
    local used, billed = read_used(used_text)
    if not is_amount(amount) or used < 0 or used > MAX_USED or billed < 0 or billed > MAX_USED then
      return say('22', amount_text)
    end
    if not open[id] then return gone(id, key, '15 0', '15') end
    local standing, _, placed, by, counted_at = unpack_hold(open[id])
    local release = standing - amount
    if available + release < -MAX then
      if on_expiry then return false end
      return say('22', amount_text)
    end

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
    resolve(id, key, on_expiry and '27 ' .. amount_text .. ' ' .. used_text or '12 ' .. amount_text)
    count_limits(by, placed, counted_at, -release)
    local who = sub(by, find(by, '\t', 1, true) + 1)
    if booked_in then
      count(late, counted_late, format('%d', booked_in) .. '\t' .. who, amount, used, billed)
    else
      count(usage, counted, who, amount, used, billed)
    end
    append('settle', id, amount_text, release == 0 and '0' or format('%d', release),
           overage == 0 and '0' or format('%d', overage), used_text, in_cycle, by)
    if to_bill > 0 then books().bill(to_bill, tonumber(in_cycle)) end
    if old or kept > 0 then
      books().release_claims(placed, tonumber(standing))
      books().forfeit_unclaimed()
    end
    if member_alerts and in_cycle == cycle then members().settled(by, amount) end
    if on_expiry then return true end
    say('3', amount_text)
  end

  -- x: at_most. Holds that would last longer were placed or renewed before the clock was set back.
  local function expire_holds(at_most)
    if at_most < 0 or at_most > MAX_TIMEOUT then return say('22', '0') end
    if at_most > 0 then
      local function shortened(packed)
        local amount, ends, rest = match(packed, '^(%d+) (%d+)( .*)$')
        if tonumber(ends) <= now + at_most then return end
        if next_due == 0 or now + at_most < next_due then next_due = now + at_most end
        return amount .. format(' %d', now + at_most) .. rest
      end
      local stored = call('HGETALL', KEYS[2])
      for i = 1, #stored, 2 do
        local packed = open[stored[i]] == nil and shortened(stored[i + 1])
        if packed then call('HSET', KEYS[2], stored[i], packed) end
      end
      for id, packed in pairs(open) do
        packed = packed and shortened(packed)
        if packed then
          open[id] = packed
          put[#put + 1] = id
          put[#put + 1] = packed
        end
      end
    end
    say('5', format('%d', swept))
  end

  -- v: key
  local function void(id, key)
    if not open[id] then return gone(id, key, '13 0', '4') end
    local standing, _, placed, by, counted_at = unpack_hold(open[id])
    held = held - standing
    move_available(standing)
    drop[#drop + 1] = id
    resolve(id, key, '13 ' .. standing)
    count_limits(by, placed, counted_at, -standing)
    append('void', id, standing, '0', '0', '0', cycle_of(placed), by)
    if placed < old_before or kept > 0 then
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
    if not books_to_read().has_room_for(amount) then return say('26', amount_text) end
    call('HSET', KEYS[5], id, amount_text .. ' ' .. now_text .. format(' %d %d ', expires, priority) ..
         kind .. '\t' .. note)
    books().add_grant(id, kind, amount, priority, expires, note)
    say('6', amount_text)
  end
