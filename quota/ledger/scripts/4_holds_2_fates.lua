-- In serve(): what has become of a hold, what may be one, and how one is put aside.

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

  -- What became of a hold that is not open: outcome, amount and what more there is to say; or nothing if
  -- nobody can tell.
  local function fate_of(id, key)
    local record = fate[id] or (fates[key] or read_fates(key))[id]
    if record then
      local how, amount = record:sub(1, 2), record:sub(4)
      if how ~= '27' then return how, amount end
      local charged, used, billed = match(amount, '^(%d+) (%d+)/?(%d*)$')
      return how, charged, ' U' .. used .. ',' .. (billed == '' and '0' or billed)
    end
    if tonumber(ARGV[first_hour + key]) < hour - MEMORY_HOURS then return '16', '0' end
  end

  -- Answers an operation on a hold that is not open. One that was never seen never will be: what it is to
  -- be taken for from now on is remembered, and a reserve delayed on its way finds it.
  local function gone(id, key, from_now_on, this_time)
    local how, standing, more = fate_of(id, key)
    if how then return say(how, standing, more) end
    resolve(id, key, from_now_on)
    say(this_time, '0')
  end

  -- Every balance stays within MAX, and so does what is held. What was settled before is no part of it.
  local function can_hold(more) return held + more <= MAX and available - more >= -MAX end

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
