-- Drops counters that nobody uses any more.
--
-- A call that creates a counter checks four others at random. So there are never more than were in use at one time plus
-- about a third, however many names come and go. A batch that creates very many checks only some; later calls check the
-- rest.
local accounts, packed, limits, member_alerts =
    require 'accounts', require 'packed_totals', require 'limits', require 'member_alerts'
local call, format, match, floor, min = redis.call, string.format, string.match, math.floor, math.min
local COUNTERS = accounts.KEY.counters
local HOUR, DAY, MOST_LOOKED_AT = 3600000, 86400000, 128

-- Whether the window has ended, or the limit or alert of the counter is gone. Clocks may go back a little, so hours and
-- days are kept for one more day; a cycle that has closed never comes back.
local function is_over(account, field, text, limit_by_field, group_by_field)
  if match(field, '^[np]%d') then return packed.is_over(field, text, limit_by_field) end
  local window, since = match(text, '^(%S+) %S+ (%S+)')
  window, since = tonumber(window), tonumber(since)
  local prefix, cycle = match(field, '^[^\t]*\t[^\t]*\t'), account.cycle
  local group = group_by_field[prefix]
  if group then return group.since ~= since or window ~= tonumber(cycle) end
  local limit = limit_by_field[prefix]
  if not limit then return true end
  return limit.since ~= since or (limit.per == 0 and window < floor(account.now / HOUR) - 24) or
         (limit.per == 1 and window < floor(account.now / DAY) - 1) or
         (limit.per == 2 and cycle ~= '0' and window < tonumber(cycle))
end

-- A total has no end: one that has not been used for that long is packed.
local function look_at_total(account, pack_after, limit, field, text)
  local amount, used = match(text, '^0 (%S+) %d+ ?(%d*)$')
  if used == '' then  -- an early release wrote no hour
    call('HSET', account.keys[COUNTERS], field, text .. format(' %d', account.hour))
  elseif used + pack_after <= account.hour then
    if amount ~= '0' then packed.add(account, limit, field, tonumber(amount)) end
    call('HDEL', account.keys[COUNTERS], field)
  end
end

return function(account, pack_after)
  local members = account.members
  if members.created == 0 then return end
  local _, group_by_field = member_alerts.groups_of(account)
  local _, limit_by_field = limits.all(account)
  local some = call('HRANDFIELD', account.keys[COUNTERS], min(4 * members.created, MOST_LOOKED_AT), 'WITHVALUES')
  for i = 1, #some, 2 do
    local field, text = some[i], some[i + 1]
    local limit = limit_by_field[match(field, '^[^\t]*\t[^\t]*\t')]
    if is_over(account, field, text, limit_by_field, group_by_field) then
      call('HDEL', account.keys[COUNTERS], field)
    elseif limit and limit.total_of_many and pack_after > 0 and not members.changed[field] then
      look_at_total(account, pack_after, limit, field, text)
    end
  end
  members.created = 0
end
