-- In serve(): the operations in their turn, and what is written at the end; here it ends.

  -- What timed out when its answer had begun, as if somebody came now to settle it; or, where no balance could
  -- pay that, at what is held, which always fits.
  for _, each in ipairs(answered) do
    local id, key = each[1], each[2]
    local packed = call('HGET', KEYS[2], id)  -- now, behind all that has come due
    open[id] = packed
    local standing, charge, used = match(packed, '^(%d+) %d+ %d+:(%d+):(%S+)')
    if not settle(id, key, charge, used, true) then settle(id, key, standing, used, true) end
  end

  -- The i-th operation that is about a hold has the i-th id.
  local at, next_id = first_operation, first_id
  while ARGV[at] do
    local code = ARGV[at]
    if code == 'x' then
      expire_holds(tonumber(ARGV[at + 1]))
      at = at + 2
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
      books().resolve_top_up(ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3]))
      at = at + 4
    elseif code == 'b' then
      books().take_back_top_up(ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3]))
      at = at + 4
    else
      local id, key = ARGV[next_id], tonumber(ARGV[at + 1])
      next_id = next_id + 1
      if code == 's' then
        settle(id, key, ARGV[at + 2], ARGV[at + 3])
        at = at + 4
      elseif code == 'v' then
        void(id, key)
        at = at + 2
      elseif code:byte() == 114 then
        reserve(id, key, at, code)
        at = at + 5
      elseif code == 'd' then
        release(id, key, at)
        at = at + 3
      else
        extend(id, key, at, code)
        at = at + 6
      end
    end
    swept = 0
    if settled >= CARRY then books().carry() end
    if code ~= 'c' then
      if threshold >= 0 and available + held < threshold and not suspended then books().watch_threshold() end
      if (alert_at >= 0 and settled >= alert_at) or books_changed then books().watch_alerts() end
    end
  end

  -- A sum that a double does not count exactly: of `counter` and what is stored.
  local function exact_sum(counter, amount, calls, used)
    local books = books_to_read()
    local rest, wholes = books.split(amount)
    rest, wholes = books.normal(rest, wholes + 4 * (counter[4] or 0))
    local used_rest, used_wholes = books.split(used)
    return books.join(rest + counter[1], wholes) .. format(' %d ', counter[2] + calls) ..
           books.join(used_rest + counter[3], used_wholes)
  end
  -- Of audio: what was billed, in microseconds.
  local function sum_of_billed(more, stored)
    if stored == '' then return format('%d', more) end
    if more + stored <= MAX then return format('%d', more + stored) end
    local books = books_to_read()
    local rest, wholes = books.split(stored)
    return books.join(rest + more, wholes)
  end
  local function write_counters(key, into, order)
    local stored, write = call('HMGET', key, unpack(order)), {key}
    for i, who in ipairs(order) do
      local counter, text = into[who], nil
      local amount, calls, used, billed = '0', 0, '0', ''
      if stored[i] then amount, calls, used, billed = match(stored[i], '^(%d+) (%d+) (%d+) ?(%d*)$') end
      if counter[4] or counter[1] + amount > MAX or counter[3] + used > MAX then
        text = exact_sum(counter, amount, calls, used)
      else
        text = format('%d %d %d', counter[1] + amount, counter[2] + calls, counter[3] + used)
      end
      if counter.billed > 0 or billed ~= '' then text = text .. ' ' .. sum_of_billed(counter.billed, billed) end
      write[#write + 1] = who
      write[#write + 1] = text
    end
    call('HSET', unpack(write))
    return not stored[1] and call('HLEN', key) == #order
  end
  -- Between which hours there are counters: whoever adds them up cannot know where the clock has been.
  local function note_hour()
    local first, last = match(call('HGET', KEYS[1], 'usage_hours') or '', '^(%d+) (%d+)$')
    first, last = min(tonumber(first or hour), hour), max(tonumber(last or hour), hour)
    call('HSET', KEYS[1], 'usage_hours', format('%d %d', first, last))
  end

  write_entries()
  if #put > 1 then call('HSET', unpack(put)) end
  if #drop > 1 then call('HDEL', unpack(drop)) end
  for key, list in pairs(resolved) do
    call('HSET', unpack(list))
    keep(key, tonumber(ARGV[first_hour + key]))
  end
  if #counted > 0 and write_counters(KEYS[4], usage, counted) then note_hour() end
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
