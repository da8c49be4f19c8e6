-- What agents, conversations and keys use, as far as there are limits and alerts of them: counters. Of a
-- limit, what is held and settled in its window; of alerts, what was settled in the cycle.
local function open_members()
  local call, format, floor, match, max = redis.call, string.format, math.floor, string.match, math.max
  local HOUR, DAY = 3600000, 86400000
  local counters, changed, created = {}, {}, 0

  -- by: request, route, action, model, agent, conversation, key
  local read_by, who
  local function members_of(by)
    if by ~= read_by then
      local agent, conversation, key =
          match(by, '^[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*\t([^\t]*)\t([^\t]*)\t([^\t]*)$')
      read_by, who = by, {[0] = agent, [1] = conversation, [2] = key}
    end
    return who
  end
  -- Window, amount, and since when it is counted; of alerts also the highest percentage and the highest
  -- number of credits that have been told.
  local function read(field)
    local counter = counters[field]
    if not counter then
      local stored = call('HGET', KEYS[6], field)
      if stored then
        local window, amount, since, percent, credits = match(stored, '^(%S+) (%S+) (%S+) ?(%S*) ?(%S*)$')
        counter = {tonumber(window), tonumber(amount), tonumber(since), tonumber(percent), tonumber(credits)}
      else
        counter = {0, 0, 0}
      end
      counter.new = not stored
      counters[field] = counter
    end
    return counter
  end
  local function change(field, counter)
    if counter.new then created, counter.new = created + 1, false end
    changed[field] = counter
  end

  -- --- limits ---

  local list_read, list, limit_by_field = nil, nil, nil
  local function all_limits()
    if list_read == limits then return list end
    list_read, list, limit_by_field = limits, {}, {}
    for line in string.gmatch(limits or '', '[^\n]+') do
      local since, scope, per, most, id = match(line, '^(%d+) (%d) (%d) (%d+) (.*)$')
      local limit = {since = tonumber(since), scope = tonumber(scope), per = tonumber(per),
                     most = tonumber(most), id = id, field = scope .. per .. '\t' .. id .. '\t'}
      list[#list + 1] = limit
      limit_by_field[limit.field] = limit_by_field[limit.field] or limit
    end
    return list
  end
  -- The counter that the limit keeps of this caller; nothing: it is not meant. Callers that do not say who
  -- they are count as one of "*".
  local function counter_of(limit, who)
    local member = who[limit.scope]
    if limit.id ~= '*' and limit.id ~= member then return nil end
    return limit.field .. member
  end
  local function window_of(limit, at)
    if limit.per == 0 then return floor(at / HOUR) end
    if limit.per == 1 then return floor(at / DAY) end
    if limit.per == 2 then return at < cycle_start and -1 or tonumber(cycle) end
    return 0
  end
  local function window_end(limit)
    if limit.per == 0 then return (floor(now / HOUR) + 1) * HOUR end
    if limit.per == 1 then return (floor(now / DAY) + 1) * DAY end
    if limit.per == 2 then return books_to_read().cycle_end() end
    return 0
  end

  -- --- alerts ---

  -- Those of one scope and id share a counter. Lines "CREDITS SINCE KIND LEVEL SCOPE ID", the first being
  -- how much their level is now (alerts_of_members() in 2_books_4).
  local groups_read, groups, group_by_field = nil, nil, nil
  local function alert_groups()
    if member_alerts == true then member_alerts = call('HGET', KEYS[1], 'member_alerts') end
    if groups_read == member_alerts then return groups end
    groups_read, groups, group_by_field = member_alerts, {}, {}
    for line in string.gmatch(member_alerts or '', '[^\n]+') do
      local credits, since, kind, level, scope, id = match(line, '^(%d+) (%d+) (%d) (%d+) (%d) (.*)$')
      local field = 'a' .. scope .. '\t' .. id .. '\t'
      local group = group_by_field[field]
      if not group then
        group = {since = tonumber(since), scope = tonumber(scope), id = id, field = field}
        group_by_field[field] = group
        groups[#groups + 1] = group
      end
      -- Where the counter keeps what has been told of this kind.
      group[#group + 1] = {credits = tonumber(credits), kind = tonumber(kind), level = tonumber(level),
                           place = kind == '0' and 4 or 5}
    end
    return groups
  end
  local function count_for_alerts(group, member, amount)
    local field, this_cycle = group.field .. member, tonumber(cycle)
    local counter, told = read(field), {[4] = 0, [5] = 0}
    if counter[1] ~= this_cycle or counter[3] ~= group.since then
      counter[1], counter[2], counter[3], counter[4], counter[5] = this_cycle, 0, group.since, 0, 0
    end
    local function is_reached(alert) return alert.credits > 0 and counter[2] >= alert.credits end
    -- A percentage that new credits have lifted above what has been used is armed again.
    for _, alert in ipairs(group) do
      local place = alert.place
      if alert.level <= counter[place] and is_reached(alert) then
        told[place] = max(told[place], alert.level)
      end
    end
    counter[2], counter[4], counter[5] = counter[2] + amount, told[4], told[5]
    change(field, counter)
    for _, alert in ipairs(group) do
      local place = alert.place
      if alert.level > told[place] and is_reached(alert) then
        counter[place] = max(counter[place], alert.level)
        books_to_read().tell_member(alert, counter[2], group.scope, member)
      end
    end
  end

  -- --- counters that nobody asks for any more ---

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
    local some = call('HRANDFIELD', KEYS[6], math.min(4 * created, most_looked_at), 'WITHVALUES')
    for i = 1, #some, 2 do
      if is_over(some[i], some[i + 1]) then call('HDEL', KEYS[6], some[i]) end
    end
    created = 0
  end

  return {
    -- What the limit that stands in the way says of itself; nothing: none does.
    -- `placed` and `standing` are of a hold that is to grow: a call that came over from another window is
    -- not counted in this one, but held to it all the same.
    objection = function(more, by, placed, standing)
      local who = members_of(by)
      for _, limit in ipairs(all_limits()) do
        local field = counter_of(limit, who)
        if field then
          local counter = read(field)
          local window = window_of(limit, now)
          local used = counter[1] == window and counter[3] == limit.since and counter[2] or 0
          if placed and window_of(limit, placed) ~= window then used = used + standing end
          if used + more > limit.most then
            return format(' W%d,%d,%d,%d,%d,0,0', max(limit.most - used, 0), window_end(limit),
                          limit.scope, limit.per, limit.most)
          end
        end
      end
    end,
    -- Counts what a hold takes, or gives back, in the window in which it was placed, as long as that is
    -- the current one.
    count = function(by, placed, more)
      local who = members_of(by)
      for _, limit in ipairs(all_limits()) do
        local field = placed >= limit.since and counter_of(limit, who)
        local window = window_of(limit, now)
        if field and window_of(limit, placed) == window then
          local counter = read(field)
          if counter[1] ~= window or counter[3] ~= limit.since then
            counter[1], counter[2], counter[3] = window, 0, limit.since
          end
          counter[2] = counter[2] + more
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
    save = function()
      if created > 0 then forget_some() end
      local write, size = {KEYS[6]}, 1
      for field, counter in pairs(changed) do
        local text = format('%d %d %d', counter[1], counter[2], counter[3])
        if counter[4] then text = text .. format(' %d %d', counter[4], counter[5]) end
        write[size + 1], write[size + 2], size = field, text, size + 2
        if size > 2000 then  -- one command takes no more than some thousand arguments from Lua
          call('HSET', unpack(write))
          write, size = {KEYS[6]}, 1
        end
      end
      if size > 1 then call('HSET', unpack(write)) end
    end,
  }
end

local members_opened
local function members()
  members_opened = members_opened or open_members()
  return members_opened
end
local function count_limits(by, placed, more)
  if limits then members().count(by, placed, more) end
end
