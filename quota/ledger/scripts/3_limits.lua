-- Limits of agents, conversations and keys: counters of what is held and settled in the current window.
local function open_limits(text)
  local call, format, floor, match, max = redis.call, string.format, math.floor, string.match, math.max
  local list, counters, changed = {}, {}, {}
  for line in string.gmatch(text, '[^\n]+') do
    local since, scope, per, most, id = match(line, '^(%d+) (%d) (%d) (%d+) (.*)$')
    list[#list + 1] = {since = tonumber(since), scope = tonumber(scope), per = tonumber(per),
                       most = tonumber(most), id = id}
  end

  -- by: request, route, action, model, agent, conversation, key
  local function members(by)
    local agent, conversation, key =
        match(by, '^[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*\t([^\t]*)\t([^\t]*)\t([^\t]*)$')
    return {[0] = agent, [1] = conversation, [2] = key}
  end
  local function window_of(limit, at)
    if limit.per == 0 then return floor(at / 3600000) end
    if limit.per == 1 then return floor(at / 86400000) end
    if limit.per == 2 then return at < cycle_start and -1 or tonumber(cycle) end
    return 0
  end
  local function window_end(limit)
    if limit.per == 0 then return (floor(now / 3600000) + 1) * 3600000 end
    if limit.per == 1 then return (floor(now / 86400000) + 1) * 86400000 end
    if limit.per == 2 then return books_to_read().cycle_end() end
    return 0
  end
  -- The counter that the limit keeps of this caller; nothing: it is not meant. Callers that do not say who
  -- they are count as one of "*".
  local function counter_of(limit, who)
    local member = who[limit.scope]
    if limit.id ~= '*' and limit.id ~= member then return nil end
    return limit.scope .. limit.per .. '\t' .. limit.id .. '\t' .. member
  end
  local function read(field)
    local counter = counters[field]
    if not counter then
      local stored = call('HGET', KEYS[6], field)
      counter = {0, 0, 0}  -- window, amount, and since when the limit counts
      if stored then
        local window, amount, since = match(stored, '^(%S+) (%S+) (%S+)$')
        counter = {tonumber(window), tonumber(amount), tonumber(since)}
      end
      counters[field] = counter
    end
    return counter
  end

  return {
    text = text,
    -- What the limit that stands in the way says of itself; nothing: none does.
    -- `placed` and `standing` are of a hold that is to grow: a call that came over from another window is
    -- not counted in this one, but held to it all the same.
    objection = function(more, by, placed, standing)
      local who = members(by)
      for _, limit in ipairs(list) do
        local field = counter_of(limit, who)
        if field then
          local counter = read(field)
          local window = window_of(limit, now)
          local used = counter[1] == window and counter[3] == limit.since and counter[2] or 0
          if placed and window_of(limit, placed) ~= window then used = used + standing end
          if used + more > limit.most then
            return format(' W%d,%d,%d,%d,%d,0', max(limit.most - used, 0), window_end(limit),
                          limit.scope, limit.per, limit.most)
          end
        end
      end
    end,
    -- Counts what a hold takes, or gives back, in the window in which it was placed, as long as that is
    -- the current one.
    count = function(by, placed, more)
      local who = members(by)
      for _, limit in ipairs(list) do
        local field = placed >= limit.since and counter_of(limit, who)
        local window = window_of(limit, now)
        if field and window_of(limit, placed) == window then
          local counter = read(field)
          if counter[1] ~= window or counter[3] ~= limit.since then
            counter[1], counter[2], counter[3] = window, 0, limit.since
          end
          counter[2] = counter[2] + more
          changed[field] = counter
        end
      end
    end,
    save = function()
      for field, counter in pairs(changed) do
        call('HSET', KEYS[6], field, format('%d %d %d', counter[1], counter[2], counter[3]))
      end
      changed = {}
    end,
  }
end

local limits_opened
local function limits_now()
  if not limits_opened or limits_opened.text ~= limits then
    if limits_opened then limits_opened.save() end
    limits_opened = open_limits(limits)
  end
  return limits_opened
end
local function count_limits(by, placed, more)
  if limits then limits_now().count(by, placed, more) end
end
