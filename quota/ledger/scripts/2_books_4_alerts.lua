-- In open_books(): how far overage may go, alerts, and the numbers that a hold needs.

  local function allows_overage() return plan.options.overage and plan.terms.price > 0 end

  local function cents_of_bills(books)
    local cents = 0
    for _, line in ipairs(books.billed) do cents = cents + (cents_for(line[1], line[2]) or MAX_CENTS) end
    return cents
  end

  -- What may be used beyond all grants and will be billed.
  local function overage_room()
    if not allows_overage() then return 0 end
    if plan.options.cap < 0 then return 2 * MAX end
    local left = plan.options.cap - spent - cents_of_bills(record(plan.cycle))
    if left <= 0 then return 0 end
    return credits_covered(left * 10000, plan.terms.price)
  end
  local function billable() return min(max(overdrawn() - plan.owed, 0), overage_room()) end

  -- --- alerts ---

  -- As near as a double comes to it, exact up to 2^53; and the text.
  local GIVEN = {5, 6, 7, 8, 9, IN}
  local function given_in_cycle()
    local books, rest, wholes = record(plan.cycle), 0, 0
    for _, line in ipairs(GIVEN) do
      rest, wholes = normal(rest + books[line], wholes + (books.wholes[line] or 0))
    end
    return rest + wholes * WHOLE, join(rest, wholes)
  end
  -- What was settled in the account's life, and in this cycle, each in two numbers.
  local function settled_in_all() return normal(settled_before + settled, settled_wholes) end
  local function settled_since(books)
    local rest, wholes = settled_in_all()
    return normal(rest - books[SETTLED], wholes - (books.wholes[SETTLED] or 0))
  end
  local function used_in_cycle()
    local rest, wholes = settled_since(record(plan.cycle))
    return rest + wholes * WHOLE, join(rest, wholes)
  end
  local function spent_cents() return spent + cents_of_bills(record(plan.cycle)) end
  -- `percent` of an amount, rounded up; no more than twice what there can be.
  local function share_of(amount, percent)
    if amount < 0 then return -floor(-amount * percent / 100) end
    local whole = floor(amount / 100)
    if whole * percent > 2 * MAX then return 2 * MAX end
    return min(whole * percent - floor(-(amount - whole * 100) * percent / 100), 2 * MAX)
  end
  -- How many credits must be overdrawn for so much of the spend cap to be used up; 0: it is; nothing: it
  -- cannot be.
  local function overdrawn_at(percent)
    if plan.options.cap < 0 then return nil end
    if plan.options.cap == 0 and spent_cents() == 0 then  -- nothing of nothing is no share
      return allows_overage() and 1 or nil
    end
    local missing = plan.options.cap * percent * 100 - spent_cents() * 10000
    if missing <= 0 then return 0 end
    if not allows_overage() then return nil end
    local price = plan.terms.price
    local whole = floor(missing / price)
    if whole > 8000000000 then return 2 * MAX end
    return whole * 1000000 - floor(-(missing - whole * price) * 1000000 / price)
  end
  local function spent_of_cap(percent)
    local needed = overdrawn_at(percent)
    return needed and overdrawn() >= needed
  end
  -- How many credits are that level of an alert now; nothing: a share of none.
  local function level_of(alert)
    if alert.kind == 2 then return alert.level end
    local given = given_in_cycle()
    return given > 0 and given <= MAX_POSTED and share_of(given, alert.level) or nil
  end
  local function reached(alert)
    if alert.kind == 1 then return spent_of_cap(alert.level) end
    local level = level_of(alert)
    local used = used_in_cycle()
    return level and used >= level
  end
  -- What counts towards the cap, and what overage costs: billed lines, and last what would be billed now.
  -- Unrounded, because it is rounded once, as in a statement.
  local function tell_of_cap(kind, ...)
    local overage, lines = overdrawn(), {}
    local function line(amount, price) lines[#lines + 1] = integer(amount) .. '*' .. integer(price) end
    for _, billed in ipairs(record(plan.cycle).billed) do
      overage = overage + billed[1]
      line(billed[1], billed[2])
    end
    line(billable(), plan.terms.price)
    local facts = {...}
    for _, fact in ipairs({'cap_cents', plan.options.cap, 'top_up_cents', spent, 'overage', overage, 'cost',
                           table.concat(lines, ',')}) do
      facts[#facts + 1] = fact
    end
    emit(kind, unpack(facts))
  end
  local function tell_refused(how)
    if not plan then return end
    if how == '20' and not plan.told_exhausted then
      plan.told_exhausted = true
      emit('balance_exhausted', 'available', available)
    elseif how == '24' and not plan.told_cap then
      plan.told_cap = true
      tell_of_cap('spend_cap_reached')
    end
  end
  local function left_of_active() return max(total(active) - (settled - mark), 0) end
  -- What follows from a change is looked at behind the next operation: until then others may be made in the
  -- same instant, and their order makes no difference.
  local unwatched = false
  -- What has been crossed is told once, in the order of the list.
  local function watch_alerts()
    unwatched = false
    if not plan then return end
    for _, alert in ipairs(plan.alerts) do
      local there = not alert.scope and reached(alert)
      if there and alert.armed then
        if alert.kind == 1 then
          tell_of_cap('usage_threshold', 'cap_percent', alert.level)
        else
          local _, used = used_in_cycle()
          local _, given = given_in_cycle()
          emit('usage_threshold', alert.kind == 0 and 'percent' or 'credits', alert.level, 'used', used, 'of',
               given)
        end
      end
      if not alert.scope then alert.armed = not there end
    end
    if left_of_active() == 0 then tell_refused('20') end
    if spent_of_cap(100) then tell_refused('24') end
  end
  -- The total of what is settled at which the next of them will be crossed; -1: there is none.
  local function next_alert()
    if not plan then return -1 end
    local next = -1
    local function consider(at)
      if at and at > settled and (next < 0 or at < next) then next = at end
    end
    local left, over = left_of_active(), overdrawn()
    local used = used_in_cycle()
    local function at_overdrawn(needed) return needed and settled + left + max(needed - over, 0) end
    for _, alert in ipairs(plan.alerts) do
      if alert.armed and alert.kind == 1 then
        consider(at_overdrawn(overdrawn_at(alert.level)))
      elseif alert.armed then
        local level = level_of(alert)
        consider(level and settled + (level - used))
      end
    end
    if not plan.told_exhausted then consider(settled + left) end
    if not plan.told_cap then consider(at_overdrawn(overdrawn_at(100))) end
    return next
  end

  -- What a settlement must know of the alerts of agents, conversations and keys: a line each, as in the
  -- account, and in front how many credits their level is now; 0: a share of none.
  local function alerts_of_members()
    local lines = {}
    for _, alert in ipairs(plan.alerts) do
      if alert.scope then
        lines[#lines + 1] = integer(level_of(alert) or 0) .. ' ' .. alert.first .. ' ' .. alert.text
      end
    end
    return #lines > 0 and table.concat(lines, '\n')
  end

  -- The numbers that a hold needs: the cycle and its start; holds placed before `old_before` outlived
  -- credits or their cycle; what is kept for those; how far the balance may go below zero, and how much
  -- further for critical calls; below which balance a top-up is due; and when to look here again.
  local function refresh()
    local earliest = 0
    local function consider(at)
      if at > 0 and (earliest == 0 or at < earliest) then earliest = at end
    end
    for _, g in ipairs(active) do consider(g.expires) end
    old_before, kept = 0, kept_in_all()
    for _, batch in ipairs(batches) do old_before = max(old_before, batch.stop) end
    threshold = -1
    if plan then
      cycle, cycle_start = integer(plan.cycle), plan.start
      if plan.cycle > 0 then old_before = max(old_before, plan.start) end
      consider(plan.stop)
      if unwatched then consider(now + 1) end
      overdraft = plan.options.overdraft
      local next = plan.next_terms or plan.terms
      until_then = (allows_overage() or next.allocation > 0) and plan.stop or 0
      top_up_open = #open_top_ups > 0 and 1 or 0
      told = (plan.told_exhausted and 1 or 0) + (plan.told_cap and 2 or 0)
      limits = plan.limits ~= '' and plan.limits or false
      member_alerts = alerts_of_members()
      local open = open_automatic()
      local idle = not open or open.status == TIMED_OUT
      if open and open.status == PENDING then consider(open.next + PENDING_AT_MOST) end
      if plan.options.threshold >= 0 and plan.terms.price > 0 and idle then
        if not_before > now then consider(not_before) else threshold = plan.options.threshold end
      end
    end
    room = -1
    if plan and allows_overage() then room = overage_room() + plan.owed end
    alert_at = unwatched and plan and 0 or next_alert()
    plan_due = earliest
  end
