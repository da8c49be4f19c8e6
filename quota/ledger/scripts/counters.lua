-- Counters: the usage of agents, conversations and keys that have limits or alerts. For a limit, the amount held and
-- settled in its window; for alerts, the amount settled in the cycle.
--
-- A counter is {window, amount, since, told percentage or hour or sequence, told credits}. For alerts, the last two are
-- the highest percentage and the highest number of credits that have been reported. For totals, the fourth is the hour
-- in which they were last used; for limits in a window, the sequence at which it began to count.
local accounts, packed, send = require 'accounts', require 'packed_totals', require('commands').send
local call, format, match = redis.call, string.format, string.match
local COUNTERS = accounts.KEY.counters

local counters = {}

-- This call's state of the counters, created on first use.
local function open(account)
  local members = account.members
  if not members then
    members = {read = {}, changed = {}, created = 0}
    account.members = members
  end
  return members
end
counters.open = open

-- by: request, route, action, model, agent, conversation, key. Indexed by the number of a limit's scope.
function counters.members_of(account, by)
  local members = open(account)
  if by ~= members.read_by then
    local agent, conversation, key =
        match(by, '^[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*\t([^\t]*)\t([^\t]*)\t([^\t]*)$')
    members.read_by, members.who = by, {[0] = agent, conversation, key}
  end
  return members.who
end

function counters.read(account, field, limit)
  local members = open(account)
  local counter = members.read[field]
  if counter then return counter end
  local stored = call('HGET', account.keys[COUNTERS], field)
  if stored then
    local window, amount, since, percent, credits = match(stored, '^(%S+) (%S+) (%S+) ?(%S*) ?(%S*)$')
    counter = {tonumber(window), tonumber(amount), tonumber(since), tonumber(percent), tonumber(credits)}
  else
    counter = {0, 0, 0}
    local amount, place
    if limit and limit.total_of_many then amount, place = packed.find(account, limit, field) end
    if amount then counter[2], counter[3], counter.was_packed = amount, limit.since, place end
  end
  counter.new = not stored
  members.read[field] = counter
  return counter
end

function counters.change(account, field, counter)
  local members = account.members
  if counter.new then members.created, counter.new = members.created + 1, false end
  if counter.was_packed then
    packed.take(account, counter.was_packed)
    counter.was_packed = nil
  end
  members.changed[field] = counter
end

function counters.save(account)
  local key = account.keys[COUNTERS]
  local write, size = {key}, 1
  for field, counter in pairs(account.members.changed) do
    local text = format('%d %d %d', counter[1], counter[2], counter[3])
    if counter[4] then text = text .. format(' %d', counter[4]) end
    if counter[5] then text = text .. format(' %d', counter[5]) end
    write[size + 1], write[size + 2], size = field, text, size + 2
  end
  if size > 1 then send('HSET', write) end
  packed.save(account)
end

return counters
