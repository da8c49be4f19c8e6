-- Usage counters: the amount settled in an hour, by attribution: "CREDITS CALLS USED", followed for audio by "
-- BILLED_US".
local names, integers, accounts, commands =
    require 'names', require 'integers', require 'accounts', require 'commands'
local call, format, match, find, sub = redis.call, string.format, string.match, string.find, string.sub
local min, max = math.min, math.max
local split, join, normal = integers.split, integers.join, integers.normal
local MAX, ACCOUNT, USAGE, LATE = names.max_micro, accounts.KEY.account, accounts.KEY.usage, accounts.KEY.late

local usage = {}

-- "USED", or for audio "USED/BILLED_US".
function usage.read_used(text)
  local used = tonumber(text)
  if used then return used, 0 end
  local slash = find(text, '/', 1, true)
  return tonumber(sub(text, 1, slash - 1)), tonumber(sub(text, slash + 1))
end

-- Counts a call in this hour, or in the hour `booked_in` if its cycle has closed.
function usage.count(account, who, booked_in, amount, used, billed)
  local name = booked_in and 'late_usage' or 'usage'
  if booked_in then who = format('%d', booked_in) .. '\t' .. who end
  local into = account[name]
  if not into then
    into = {order = {}, counters = {}}  -- order of appearance; who -> {credits, calls, used, 0, billed}
    account[name] = into
  end
  local counter = into.counters[who]
  if not counter then
    into.order[#into.order + 1] = who
    counter = {amount, 1, used, 0, billed}
    into.counters[who] = counter
  else
    counter[1], counter[2], counter[3] = counter[1] + amount, counter[2] + 1, counter[3] + used
    counter[5] = counter[5] + billed
  end
  if counter[1] >= MAX then counter[1], counter[4] = counter[1] - MAX, counter[4] + 1 end  -- how often MAX was taken
end

-- The sum of `counter` and the stored text, for sums that exceed a double.
local function exact_sum(counter, amount, calls, used)
  local rest, wholes = split(amount)
  rest, wholes = normal(rest, wholes + 4 * counter[4])
  local used_rest, used_wholes = split(used)
  return join(rest + counter[1], wholes) .. format(' %d ', counter[2] + calls) ..
         join(used_rest + counter[3], used_wholes)
end

-- For audio: the billed microseconds.
local function sum_of_billed(more, stored)
  if stored == '' then return format('%d', more) end
  if more + stored <= MAX then return format('%d', more + stored) end
  local rest, wholes = split(stored)
  return join(rest + more, wholes)
end

local function sum(counter, stored)
  local amount, calls, used, billed = '0', 0, '0', ''
  if stored then amount, calls, used, billed = match(stored, '^(%d+) (%d+) (%d+) ?(%d*)$') end
  local text
  if counter[4] > 0 or counter[1] + amount > MAX or counter[3] + used > MAX then
    text = exact_sum(counter, amount, calls, used)
  else
    text = format('%d %d %d', counter[1] + amount, counter[2] + calls, counter[3] + used)
  end
  if counter[5] == 0 and billed == '' then return text end
  return text .. ' ' .. sum_of_billed(counter[5], billed)
end

local function add(key, who, counter)
  local stored = call('HGET', key, who)
  call('HSET', key, who, sum(counter, stored))
  return not stored
end

-- Returns whether the first of them is new.
local function write(key, into)
  local order, counters = into.order, into.counters
  if #order == 1 then return add(key, order[1], counters[order[1]]) end
  local fields, command = {key}, {key}
  for i, who in ipairs(order) do fields[i + 1] = who end
  local stored = commands.get_all(fields)
  for i, who in ipairs(order) do
    command[2 * i], command[2 * i + 1] = who, sum(counters[who], stored[i])
  end
  commands.send('HSET', command)
  return not stored[1]
end

-- Records the first and last hour with counters: a reader that sums them cannot know where the clock has been.
local function note_hour(key, hour)
  local first, last = match(call('HGET', key, 'usage_hours') or '', '^(%d+) (%d+)$')
  first, last = min(tonumber(first or hour), hour), max(tonumber(last or hour), hour)
  call('HSET', key, 'usage_hours', format('%d %d', first, last))
end

-- After a single call has added its counter: records the hour if this is its first counter.
function usage.note_first(account_key, usage_key, hour_text)
  if call('HLEN', usage_key) == 1 then note_hour(account_key, tonumber(hour_text)) end
end

function usage.save(account)
  local now, late = account.usage, account.late_usage
  if now then
    local key = account.keys[USAGE]
    if write(key, now) and call('HLEN', key) == #now.order then
      note_hour(account.keys[ACCOUNT], account.hour)
    end
  end
  if late then write(account.keys[LATE], late) end
end

return usage
