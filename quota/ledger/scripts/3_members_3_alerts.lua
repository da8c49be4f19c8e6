-- In open_members(): alerts of agents, conversations and keys.

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
