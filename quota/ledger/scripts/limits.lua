-- Limits of agents, conversations and keys.
local accounts, holds, plans, counters = require 'accounts', require 'holds', require 'plan', require 'counters'
local call, format, floor, max = redis.call, string.format, math.floor, math.max
local match, gmatch, sub = string.match, string.gmatch, string.sub
local HOLDS = accounts.KEY.holds
local HOUR, DAY = 3600000, 86400000
local PER_HOUR, PER_DAY, PER_CYCLE, TOTAL = 0, 1, 2, 3  -- limit_window

local limits = {}

-- The account's limits, as a list and by the first part of their counters' fields.
local function all_limits(account)
  local members = counters.open(account)
  if members.limits_read == account.limits then return members.limits, members.limit_by_field end
  local list, by_field = {}, {}
  for line in gmatch(account.limits or '', '[^\n]+') do
    local since, scope, per, most, id = match(line, '^(%d+) (%d) (%d) (%d+) (.*)$')
    local limit = {since = tonumber(since), scope = tonumber(scope), per = tonumber(per), most = tonumber(most),
                   id = id, field = scope .. per .. '\t' .. id .. '\t', total_of_many = per == '3' and id == '*'}
    list[#list + 1] = limit
    by_field[limit.field] = by_field[limit.field] or limit
  end
  members.limits_read, members.limits, members.limit_by_field = account.limits, list, by_field
  return list, by_field
end
limits.all = all_limits

-- The counter that the limit keeps for this caller; nil if the limit does not apply to it. Callers without a name count
-- together as one member of "*".
local function counter_of(limit, who)
  local member = who[limit.scope]
  if limit.id ~= '*' and limit.id ~= member then return nil end
  return limit.field .. member
end

-- Limits that differ only in how much they allow share a counter, which counts a hold once.
local function counts_first(limit, by_field) return by_field[limit.field] == limit end

local function window_of(account, limit, at)
  if limit.per == PER_HOUR then return floor(at / HOUR) end
  if limit.per == PER_DAY then return floor(at / DAY) end
  if limit.per == PER_CYCLE then return at < account.cycle_start and -1 or tonumber(account.cycle) end
  return 0
end
local function window_end(account, limit)
  if limit.per == PER_HOUR then return (floor(account.now / HOUR) + 1) * HOUR end
  if limit.per == PER_DAY then return (floor(account.now / DAY) + 1) * DAY end
  if limit.per == PER_CYCLE then return plans.cycle_end(account) end
  return 0
end

-- Whether the counter of the limit includes this hold.
local function has_counted(account, limit, counter, placed, counted)
  if limit.per == TOTAL then return true end
  if counter[3] ~= limit.since then return false end
  if counter[4] then return counted >= counter[4] end
  return window_of(account, limit, placed) == counter[1]  -- an early release wrote no sequence
end

-- The details of the limit that refuses the hold; nil if none does. `placed`, `standing` and `counted` are those of a
-- hold to be extended: a call from another window is not counted in this one, but the limit still applies to it.
function limits.objection(account, more, by, placed, standing, counted)
  local who = counters.members_of(account, by)
  for _, limit in ipairs(all_limits(account)) do
    local field = counter_of(limit, who)
    if field then
      local counter, window = counters.read(account, field, limit), window_of(account, limit, account.now)
      local used = counter[1] == window and counter[3] == limit.since and counter[2] or 0
      if placed then
        local is_meant = counted and counted >= limit.since
        local is_counted = is_meant and counter[1] == window and
                           has_counted(account, limit, counter, placed, counted)
        if not is_counted and (is_meant or window_of(account, limit, placed) ~= window) then used = used + standing end
      end
      if used + more > limit.most then
        return format('W%d,%d,%d,%d,%d,0,0', max(limit.most - used, 0), window_end(account, limit), limit.scope,
                      limit.per, limit.most)
      end
    end
  end
end

-- Counts a new hold in the current windows. Returns the sequence that the hold must store: that at which it was
-- counted; nil if no limit applies to it.
function limits.count_new(account, by, amount)
  local who, is_counted = counters.members_of(account, by), false
  local list, by_field = all_limits(account)
  for _, limit in ipairs(list) do
    local field = counts_first(limit, by_field) and counter_of(limit, who)
    if field then
      local counter, window = counters.read(account, field, limit), window_of(account, limit, account.now)
      if counter[1] ~= window or counter[3] ~= limit.since then
        counter[1], counter[2], counter[3] = window, 0, limit.since
        counter[4] = limit.per ~= TOTAL and accounts.next_of_sequence(account, 0) or nil
      end
      counter[2] = counter[2] + amount
      if limit.total_of_many then counter[4] = account.hour end
      counters.change(account, field, counter)
      is_counted = true
    end
  end
  return is_counted and accounts.last_of_sequence(account) or nil
end

-- Counts what a hold takes in addition, or gives back, in the counters that include it.
function limits.count(account, by, placed, counted, more)
  if not (account.limits and counted) then return end
  local who = counters.members_of(account, by)
  local list, by_field = all_limits(account)
  for _, limit in ipairs(list) do
    local field = counted >= limit.since and counts_first(limit, by_field) and counter_of(limit, who)
    local counter = field and counters.read(account, field, limit)
    if counter and has_counted(account, limit, counter, placed, counted) then
      if counter[3] ~= limit.since then counter[1], counter[2], counter[3] = 0, 0, limit.since end
      counter[2] = counter[2] + more
      if limit.total_of_many then counter[4] = account.hour end
      counters.change(account, field, counter)
    end
  end
end

-- --- migration of schema 1 ---

-- Holds of early releases do not record whether limits have counted them: these releases compared the times of hold and
-- limit. The result of that comparison is recorded, once. Where limits share a counter, each of them had counted every
-- hold; the surplus counts of open holds are given back once.
function limits.note_what_was_counted(account)
  local last, sharing = 0, {}
  local list, by_field = all_limits(account)
  for _, limit in ipairs(list) do
    last = max(last, limit.since)
    sharing[limit.field] = (sharing[limit.field] or 0) + 1
  end
  local function leave_one(amount, placed, by)
    local who = counters.members_of(account, by)
    for _, limit in ipairs(list) do
      local times = sharing[limit.field]
      local field = times > 1 and counts_first(limit, by_field) and limit.since <= placed and counter_of(limit, who)
      local counter = field and counters.read(account, field, limit)
      if counter and counter[3] == limit.since and counter[1] == window_of(account, limit, placed) then
        counter[2] = max(counter[2] - amount * (times - 1), 0)
        counters.change(account, field, counter)
      end
    end
  end
  local stored = call('HGETALL', account.keys[HOLDS])
  for i = 1, #stored, 2 do
    local head, placed, tail = match(stored[i + 1], '^(%d+ %d+ %S+ )(%d+)( .*)$')
    local counted = 0
    for _, limit in ipairs(list) do
      if placed and limit.since <= tonumber(placed) then counted = max(counted, limit.since) end
    end
    if counted > 0 then
      call('HSET', account.keys[HOLDS], stored[i], head .. holds.write_placed(placed, counted) .. tail)
      leave_one(tonumber(match(head, '^%d+')), tonumber(placed), sub(tail, 2))
    end
  end
  accounts.next_of_sequence(account, last)
end

return limits
