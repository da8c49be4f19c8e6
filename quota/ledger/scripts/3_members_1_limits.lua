-- What agents, conversations and keys use, as far as there are limits and alerts of them: counters. Of a
-- limit, what is held and settled in its window; of alerts, what was settled in the cycle. The files 3_members_*
-- are one function, as those of the books: this one begins it, with limits.
local function open_members()
  local call, format, floor, match, max = redis.call, string.format, math.floor, string.match, math.max
  local HOUR, DAY = 3600000, 86400000
  local counters, changed, created = {}, {}, 0
  local packed  -- opens the totals that nobody used for long: 3_members_2

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
  -- number of credits that have been told; of totals the hour in which they were last of use; of limits in a window
  -- the sequence at which it began to count.
  local function read(field, limit)
    local counter = counters[field]
    if not counter then
      local stored = call('HGET', KEYS[6], field)
      if stored then
        local window, amount, since, percent, credits = match(stored, '^(%S+) (%S+) (%S+) ?(%S*) ?(%S*)$')
        counter = {tonumber(window), tonumber(amount), tonumber(since), tonumber(percent), tonumber(credits)}
      else
        counter = {0, 0, 0}
        local amount, place
        if limit and limit.total_of_many then amount, place = packed().find(limit, field) end
        if amount then counter[2], counter[3], counter.was_packed = amount, limit.since, place end
      end
      counter.new = not stored
      counters[field] = counter
    end
    return counter
  end
  local function change(field, counter)
    if counter.new then created, counter.new = created + 1, false end
    if counter.was_packed then
      packed().take(counter.was_packed)
      counter.was_packed = nil
    end
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
                     most = tonumber(most), id = id, field = scope .. per .. '\t' .. id .. '\t',
                     total_of_many = per == '3' and id == '*'}
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
  -- Limits that differ in how much they allow share a counter, and count once.
  local function counts_first(limit) return limit_by_field[limit.field] == limit end
  local function window_of(limit, at)
    if limit.per == 0 then return floor(at / HOUR) end
    if limit.per == 1 then return floor(at / DAY) end
    if limit.per == 2 then return at < cycle_start and -1 or tonumber(cycle) end
    return 0
  end
  -- Whether the counter has counted this hold, which the limit counts.
  local function has_counted(limit, counter, placed, counted)
    if limit.per == 3 then return true end
    if counter[3] ~= limit.since then return false end
    if counter[4] then return counted >= counter[4] end
    return window_of(limit, placed) == counter[1]  -- an earlier release wrote no sequence
  end
  local function window_end(limit)
    if limit.per == 0 then return (floor(now / HOUR) + 1) * HOUR end
    if limit.per == 1 then return (floor(now / DAY) + 1) * DAY end
    if limit.per == 2 then return books_to_read().cycle_end() end
    return 0
  end
