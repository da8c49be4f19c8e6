-- Alerts of agents, conversations and keys.
local accounts, plans, counters = require 'accounts', require 'plan', require 'counters'
local call, match, gmatch, max = redis.call, string.match, string.gmatch, math.max
local ACCOUNT = accounts.KEY.account

local alerts = {}

-- Alerts of one scope and id share a counter. Lines "CREDITS SINCE KIND LEVEL SCOPE ID"; CREDITS is the current level
-- in credits (`of_members` in alerts.lua). Returns the groups, as a list and by the first part of their counters'
-- fields.
local function groups_of(account)
  local members = counters.open(account)
  if account.member_alerts == true then
    account.member_alerts = call('HGET', account.keys[ACCOUNT], 'member_alerts')
  end
  if members.groups and members.groups_read == account.member_alerts then
    return members.groups, members.group_by_field
  end
  local groups, by_field = {}, {}
  for line in gmatch(account.member_alerts or '', '[^\n]+') do
    local credits, since, kind, level, scope, id = match(line, '^(%d+) (%d+) (%d) (%d+) (%d) (.*)$')
    local field = 'a' .. scope .. '\t' .. id .. '\t'
    local group = by_field[field]
    if not group then
      group = {since = tonumber(since), scope = tonumber(scope), id = id, field = field}
      by_field[field] = group
      groups[#groups + 1] = group
    end
    -- `place`: the position in the counter of what has been reported for this kind.
    group[#group + 1] = {credits = tonumber(credits), kind = tonumber(kind), level = tonumber(level),
                         place = kind == '0' and 4 or 5}
  end
  members.groups_read, members.groups, members.group_by_field = account.member_alerts, groups, by_field
  return groups, by_field
end
alerts.groups_of = groups_of

local function count(account, group, member, amount)
  local field, this_cycle = group.field .. member, tonumber(account.cycle)
  local counter, told = counters.read(account, field), {[4] = 0, [5] = 0}
  if counter[1] ~= this_cycle or counter[3] ~= group.since then
    counter[1], counter[2], counter[3], counter[4], counter[5] = this_cycle, 0, group.since, 0, 0
  end
  local function is_reached(alert) return alert.credits > 0 and counter[2] >= alert.credits end
  -- A percentage is armed again once new credits raise its level above the usage.
  for _, alert in ipairs(group) do
    local place = alert.place
    if alert.level <= counter[place] and is_reached(alert) then told[place] = max(told[place], alert.level) end
  end
  counter[2], counter[4], counter[5] = counter[2] + amount, told[4], told[5]
  counters.change(account, field, counter)
  for _, alert in ipairs(group) do
    local place = alert.place
    if alert.level > told[place] and is_reached(alert) then
      counter[place] = max(counter[place], alert.level)
      plans.tell_member(account, alert, counter[2], group.scope, member)
    end
  end
end

-- Counts the settled amount of a call of this cycle.
function alerts.settled(account, by, amount)
  local who = counters.members_of(account, by)
  for _, group in ipairs(groups_of(account)) do
    local member = who[group.scope]
    if group.id == '*' or group.id == member then count(account, group, member, amount) end
  end
end

return alerts
