-- In open_books(): what an organization has agreed to and chosen.

  local function within(value, low, high) return value and value >= low and value <= high end

  -- At most the cycle's allocation, and what of as many before it as roll over is unused.
  local function terms_fit(t)
    return t.allocation <= mul_div(MAX, 100, 100 + t.cycles * min(t.percent, 100))
  end
  local function terms_in_bounds(t)
    return within(t.allocation, 0, MAX) and within(t.percent, 0, 1000) and within(t.cycles, 0, 120) and
           terms_fit(t) and
           within(t.price, 0, MAX_PRICE) and within(t.minimum, 0, MAX_CENTS) and
           within(t.per_minute, 0, MAX_RATE) and within(t.burst, t.per_minute > 0 and 1 or 0, MAX_RATE)
  end
  local function options_in_bounds(o)
    return within(o.cap, -1, MAX_CENTS) and within(o.overdraft, -1, MAX) and
           within(o.threshold, -1, MAX) and within(o.cents, 0, MAX_CENTS)
  end

  -- The first boundary of that anchor that does not cut the cycle short.
  local function end_with_anchor(day) return end_of_cycle(day, plan.stop - 1) end

  -- What an allocation is worth for the time by which the cycle is longer than it usually is; and for the
  -- rest of the cycle. What lies before the usual end and what lies behind it are rounded apart: so a larger
  -- allocation and a longer cycle give the same in either order.
  local function usual_length() return floor((plan.usual_stop - plan.start) / 1000) end
  local function longer_share(allocation)
    return mul_div_half_up(allocation, floor((plan.stop - plan.usual_stop) / 1000), usual_length())
  end
  local function share_of_cycle(allocation)
    local left = plan.usual_stop - now
    local share = mul_div_half_up(allocation, floor(math.abs(left) / 1000), usual_length())
    return longer_share(allocation) + (left < 0 and -share or share)
  end

  -- About what an allocation is worth for the time that the cycle gains by another anchor.
  local function share_for_anchor(allocation, day)
    return mul_div_half_up(allocation, floor((end_with_anchor(day) - plan.stop) / 1000), usual_length())
  end

  -- Whether the most that a change may grant, now or when the cycle closes, has room beside what there is.
  local function has_room_for_terms(at_once, anchor, terms)
    local given = terms.allocation
    if plan then
      local peak = at_once and max(plan.peak, given) or plan.peak
      if at_once then given = given + longer_share(given) end
      if at_once and plan.peak > 0 then given = max(given - plan.peak, 0) end
      if anchor > 0 and anchor ~= plan.anchor then given = given + share_for_anchor(peak, anchor) end
    end
    return given <= 0 or available + held + given <= MAX_POSTED
  end

  -- The cycle goes on until the new anchor's next boundary, and with it what was to end with it; for the time
  -- that it gains there is a share of the allocation.
  local function change_anchor(day)
    bring_up_to_date()
    local before = longer_share(plan.peak)
    plan.stop = end_with_anchor(day)
    plan.anchor = day
    record(plan.cycle)[STOP] = plan.stop
    local moved = {}
    for _, g in ipairs(active) do
      if (g.kind == 'allocation' or g.kind == 'rollover') and g.expires > 0 then
        g.expires = end_of_cycle(day, g.expires - 1)
      end
      insert(moved, g)
    end
    active = moved
    local share = longer_share(plan.peak) - before
    if share <= 0 then return 0 end
    return add_grant('allocation:' .. integer(plan.cycle) .. ':until:' .. integer(plan.stop), 'allocation',
                     share, priority_of('allocation'), plan.stop, '')
  end

  local function is_beginning() return plan.cycle == 0 and plan.began == now end
  -- An anchor that is named in the instant in which the first cycle began is the one it began with.
  local function begin_with_anchor(day)
    plan.anchor, plan.start, plan.stop = day, start_of_cycle(day, now), end_of_cycle(day, now)
    plan.usual_stop = plan.stop
    local books = record(0)
    books[START], books[STOP] = plan.start, plan.stop
    for _, g in ipairs(active) do
      if g.kind == 'allocation' then g.expires = plan.stop end
    end
  end

  -- What has been used so far is billed under what was agreed until now; what that does not cover is owed in
  -- credits. So of several changes in one instant the first finds something to settle up, under what was
  -- agreed before all of them, and their order makes no difference.
  local function settle_up()
    local due = billable()
    if due > 0 then bill(due, plan.cycle) end
    plan.owed = overdrawn()
  end

  local function change_terms(terms)
    if terms.per_minute ~= plan.terms.per_minute or terms.burst ~= plan.terms.burst then
      rate = terms.per_minute > 0 and format('%d %d 0 0', terms.per_minute, terms.burst) or false
    end
    local id, amount = 'allocation:' .. integer(plan.cycle), terms.allocation + longer_share(terms.allocation)
    if plan.peak > 0 then
      local peak = max(terms.allocation, plan.peak)
      amount = is_beginning() and peak - plan.peak or share_of_cycle(peak) - share_of_cycle(plan.peak)
      id = id .. ':' .. now_text
    end
    plan.terms, plan.next_terms = terms, false
    plan.peak = max(plan.peak, terms.allocation)
    if amount <= 0 then return 0 end
    return add_grant(id, 'allocation', amount, priority_of('allocation'), plan.stop, '')
  end

  -- Limits come as lines "SCOPE PER MOST ID" and are kept with the sequence from which they count in front.
  local function change_options(options, lines, alert_lines)
    local since, plain = {}, {}
    for line in string.gmatch(plan.limits, '[^\n]+') do
      local at, limit = match(line, '^(%d+) (.*)$')
      local scope, id = match(limit, '^(%d %d) %d+ (.*)$')
      since[scope .. ' ' .. id] = at
      plain[#plain + 1] = limit
    end
    local kept_lines, first_sequence = {}, nil
    -- All that are set together have one number, which no hold has noted by now.
    local function counts_from()
      first_sequence = first_sequence or integer(sequence(now + 1))
      return first_sequence
    end
    for line in string.gmatch(lines, '[^\n]+') do
      local scope, id = match(line, '^(%d %d) %d+ (.*)$')
      kept_lines[#kept_lines + 1] = (since[scope .. ' ' .. id] or counts_from()) .. ' ' .. line
    end
    local armed, counts_since, old_alerts = {}, {}, {}
    for i, alert in ipairs(plan.alerts) do
      old_alerts[i] = alert.text
      if alert.scope then
        counts_since[alert.scope .. alert.id] = alert.first
      else
        armed[alert.text] = alert.armed and '1' or '0'
      end
    end
    local changed = options.text ~= plan.options.text or lines ~= table.concat(plain, '\n') or
                    alert_lines ~= table.concat(old_alerts, '\n')
    if changed then not_before, plan.told_cap = 0, false end
    plan.alerts = {}
    for line in string.gmatch(alert_lines, '[^\n]+') do
      local alert = read_alert(line, armed[line] or '1')
      -- Those of one scope and id count together: one that is added to them counts from when they do.
      if alert.scope then alert.first = counts_since[alert.scope .. alert.id] or now_text end
      plan.alerts[#plan.alerts + 1] = alert
    end
    plan.options, plan.limits = options, table.concat(kept_lines, '\n')
    return changed
  end

  local function limits_in_bounds(lines)
    local count = 0
    for line in string.gmatch(lines, '[^\n]+') do
      count = count + 1
      local most = match(line, '^[012] [0123] (%d+) .')
      if not most or tonumber(most) > MAX then return false end
    end
    return count <= 64
  end

  local function alerts_in_bounds(lines)
    local count = 0
    for line in string.gmatch(lines, '[^\n]+') do
      count = count + 1
      local kind, level = match(line, '^([012]) (%S+)$')
      if not kind then kind, level = match(line, '^([02]) (%S+) [012] .') end
      local most = kind == '0' and 1000 or kind == '1' and 100 or MAX
      if not kind or not within(tonumber(level), 1, most) then return false end
    end
    return count <= 32
  end

  local function configure(at_once, anchor, terms_text, options_text, lines, alert_lines)
    unwatched = true
    local terms, options = read_terms(terms_text), read_options(options_text)
    if not terms_in_bounds(terms) or not options_in_bounds(options) or not within(anchor, 0, 31) or
       not limits_in_bounds(lines) or not alerts_in_bounds(alert_lines) then
      return say('22', '0')
    end
    local first = not plan
    local moves = plan and anchor > 0 and anchor ~= plan.anchor
    local beginning = first or is_beginning()
    if moves and not beginning and end_with_anchor(anchor) > plan.start + 62 * 86400000 then
      return say('22', '0')
    end
    if not has_room_for_terms(at_once, anchor, terms) then return say('26', '0') end
    local old_terms = plan and plan.terms.text
    local old_next = plan and plan.next_terms and plan.next_terms.text
    local old_anchor = plan and plan.anchor
    if first then
      if anchor == 0 then
        local _, _, day = civil(floor(now / 86400000))
        anchor = day
      end
      plan = {cycle = 0, peak = 0, terms = read_terms('0 0 0 0 0 0 0 '), next_terms = false,
              options = read_options('1 -1 -1 -1 0'), limits = '', owed = overdrawn(), alerts = {},
              told_exhausted = true, told_cap = false, began = now}
      -- What was given before was given before, whatever clock said when.
      for _, g in ipairs(active) do g.at = min(g.at, now) end
      begin_with_anchor(anchor)
    else
      local old = plan.options
      local other_terms = at_once and
                          (terms.price ~= plan.terms.price or terms.allocation ~= plan.terms.allocation)
      if other_terms or moves or options.overage ~= old.overage or options.cap ~= old.cap then settle_up() end
    end
    local given = 0
    if first or at_once then
      given = change_terms(terms)
    else
      plan.next_terms = terms.text ~= plan.terms.text and terms or false
    end
    local changed = change_options(options, lines, alert_lines)
    if moves and beginning then
      begin_with_anchor(anchor)
    elseif moves then
      given = given + change_anchor(anchor)
    end
    changed = changed or first or old_terms ~= plan.terms.text or old_anchor ~= plan.anchor or
              old_next ~= (plan.next_terms and plan.next_terms.text)
    if changed then emit('billing_updated', 'plan', plan.terms.name) end
    refresh()
    say('7', integer(given))
  end
