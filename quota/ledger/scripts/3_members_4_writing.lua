-- In open_members(): counters that nobody asks for any more, and what it offers; here it ends.

  -- Whoever makes a counter looks at four others, by chance: so there are never more than were of use at one
  -- time and about a third, however many names come and go. A batch that makes very many looks at some
  -- only; calls that come later see to the rest.
  local most_looked_at = 128
  local function forget_some()
    alert_groups()
    all_limits()
    -- Whether the window is over, or what was counted for is gone. Clocks may go back a little, so hours and
    -- days are kept for a day more; a cycle that has closed never comes back.
    local function is_over(field, text)
      if match(field, '^[np]%d') then return packed().is_over(field, text, limit_by_field) end
      local window, since = match(text, '^(%S+) %S+ (%S+)')
      window, since = tonumber(window), tonumber(since)
      local prefix = match(field, '^[^\t]*\t[^\t]*\t')
      local group = group_by_field[prefix]
      if group then return group.since ~= since or window ~= tonumber(cycle) end
      local limit = limit_by_field[prefix]
      if not limit then return true end
      return limit.since ~= since or (limit.per == 0 and window < floor(now / HOUR) - 24) or
             (limit.per == 1 and window < floor(now / DAY) - 1) or
             (limit.per == 2 and cycle ~= '0' and window < tonumber(cycle))
    end
    -- A total has no end: what has not been of use for so long is packed.
    local function look_at_total(limit, field, text)
      local amount, used = match(text, '^0 (%S+) %d+ ?(%d*)$')
      if used == '' then  -- an earlier release wrote no hour
        call('HSET', KEYS[6], field, text .. format(' %d', hour))
      elseif used + pack_after <= hour then
        if amount ~= '0' then packed().pack(limit, field, tonumber(amount)) end
        call('HDEL', KEYS[6], field)
      end
    end
    local some = call('HRANDFIELD', KEYS[6], math.min(4 * created, most_looked_at), 'WITHVALUES')
    for i = 1, #some, 2 do
      local field, text = some[i], some[i + 1]
      local limit = limit_by_field[match(field, '^[^\t]*\t[^\t]*\t')]
      if is_over(field, text) then
        call('HDEL', KEYS[6], field)
      elseif limit and limit.total_of_many and pack_after > 0 and not changed[field] then
        look_at_total(limit, field, text)
      end
    end
    created = 0
  end

  return {
    -- What the limit that stands in the way says of itself; nothing: none does.
    -- `placed`, `standing` and `counted` are of a hold that is to grow: a call that came over from another window is
    -- not counted in this one, but held to it all the same.
    objection = function(more, by, placed, standing, counted)
      local who = members_of(by)
      for _, limit in ipairs(all_limits()) do
        local field = counter_of(limit, who)
        if field then
          local counter = read(field, limit)
          local window = window_of(limit, now)
          local used = counter[1] == window and counter[3] == limit.since and counter[2] or 0
          if placed then
            local is_meant = counted and counted >= limit.since
            local is_counted = is_meant and counter[1] == window and has_counted(limit, counter, placed, counted)
            if not is_counted and (is_meant or window_of(limit, placed) ~= window) then used = used + standing end
          end
          if used + more > limit.most then
            return format(' W%d,%d,%d,%d,%d,0,0', max(limit.most - used, 0), window_end(limit),
                          limit.scope, limit.per, limit.most)
          end
        end
      end
    end,
    -- Counts a new hold in the windows of now. Returns what the hold is to note of it: the sequence at which it was
    -- counted; nothing: no limit is about it.
    count_new = function(by, amount)
      local who, is_counted = members_of(by), false
      for _, limit in ipairs(all_limits()) do
        local field = counts_first(limit) and counter_of(limit, who)
        if field then
          local counter, window = read(field, limit), window_of(limit, now)
          if counter[1] ~= window or counter[3] ~= limit.since then
            counter[1], counter[2], counter[3] = window, 0, limit.since
            counter[4] = limit.per ~= 3 and sequence(0) or nil
          end
          counter[2] = counter[2] + amount
          if limit.total_of_many then counter[4] = hour end
          change(field, counter)
          is_counted = true
        end
      end
      return is_counted and sequence() or nil
    end,
    -- Counts what a hold takes besides, or gives back, where it has been counted.
    count = function(by, placed, counted, more)
      local who = members_of(by)
      for _, limit in ipairs(all_limits()) do
        local field = counted >= limit.since and counts_first(limit) and counter_of(limit, who)
        local counter = field and read(field, limit)
        if counter and has_counted(limit, counter, placed, counted) then
          if counter[3] ~= limit.since then counter[1], counter[2], counter[3] = 0, 0, limit.since end
          counter[2] = counter[2] + more
          if limit.total_of_many then counter[4] = hour end
          change(field, counter)
        end
      end
    end,
    -- Counts, for alerts, what was settled of a call of this cycle.
    settled = function(by, amount)
      local who = members_of(by)
      for _, group in ipairs(alert_groups()) do
        local member = who[group.scope]
        if group.id == '*' or group.id == member then count_for_alerts(group, member, amount) end
      end
    end,
    -- Holds of an earlier release do not say whether limits have counted them: it compared the times at which hold and
    -- limit were made. What it would have said is noted, once. Where limits share a counter, each had counted every
    -- hold: what is given back of those that are open is given back once.
    note_what_was_counted = function()
      local last, sharing = 0, {}
      for _, limit in ipairs(all_limits()) do
        last = max(last, limit.since)
        sharing[limit.field] = (sharing[limit.field] or 0) + 1
      end
      local function leave_one(amount, placed, by)
        local who = members_of(by)
        for _, limit in ipairs(all_limits()) do
          local times = sharing[limit.field]
          local field = times > 1 and counts_first(limit) and limit.since <= placed and counter_of(limit, who)
          local counter = field and read(field, limit)
          if counter and counter[3] == limit.since and counter[1] == window_of(limit, placed) then
            counter[2] = max(counter[2] - amount * (times - 1), 0)
            change(field, counter)
          end
        end
      end
      local stored = call('HGETALL', KEYS[2])
      for i = 1, #stored, 2 do
        local head, placed, tail = match(stored[i + 1], '^(%d+ %d+ %S+ )(%d+)( .*)$')
        local counted = 0
        for _, limit in ipairs(all_limits()) do
          if placed and limit.since <= tonumber(placed) then counted = max(counted, limit.since) end
        end
        if counted > 0 then
          call('HSET', KEYS[2], stored[i], head .. write_placed(placed, counted) .. tail)
          leave_one(tonumber(match(head, '^%d+')), tonumber(placed), string.sub(tail, 2))
        end
      end
      sequence(last)
    end,
    save = function()
      if created > 0 then forget_some() end
      local write, size = {KEYS[6]}, 1
      for field, counter in pairs(changed) do
        local text = format('%d %d %d', counter[1], counter[2], counter[3])
        if counter[4] then text = text .. format(' %d', counter[4]) end
        if counter[5] then text = text .. format(' %d', counter[5]) end
        write[size + 1], write[size + 2], size = field, text, size + 2
        if size > 2000 then  -- one command takes no more than some thousand arguments from Lua
          call('HSET', unpack(write))
          write, size = {KEYS[6]}, 1
        end
      end
      if size > 1 then call('HSET', unpack(write)) end
      if packed_opened then packed_opened.save() end
    end,
  }
end

local members_opened
local function members()
  members_opened = members_opened or open_members()
  return members_opened
end
local function count_limits(by, placed, counted, more)
  if limits and counted then members().count(by, placed, counted, more) end
end
