-- In open_books(): cycles that close, and holds that outlive their credits, or their cycle.

  -- What may go on into the next cycle, so that its allocation has room beside it.
  local function room_to_roll(at)
    bring_up_to_date()
    local staying, leaving = kept_in_all(), 0
    for _, g in ipairs(active) do
      if g.expires == 0 or g.expires > at then
        staying = staying + g.remaining
      else
        leaving = leaving + g.remaining
      end
    end
    local next = plan.next_terms or plan.terms
    return max(MAX_POSTED - next.allocation - staying - min(leaving, held), 0)
  end

  local function close_cycle()
    local at = plan.stop
    local books = record(plan.cycle)
    books[ROLL_ROOM] = min(mul_div(min(plan.peak, value(books, KINDS.allocation)), plan.terms.percent, 100),
                           room_to_roll(at))
    books[ROLL_ENDS] = plan.terms.cycles > 0 and at or 0
    for _ = 1, plan.terms.cycles do books[ROLL_ENDS] = end_of_cycle(plan.anchor, books[ROLL_ENDS]) end
    expire_grants(at)
    local may_bill, due = overage_room(), billable()
    if due > 0 then bill(due, plan.cycle) end
    plan.owed = overdrawn()
    books[ROOM] = may_bill - due
    books.name, books[PRICE] = plan.terms.name, plan.terms.price
    books[SETTLED], books.wholes[SETTLED] = settled_since(books)
    books[CLOSED] = 1
    emit('cycle_closed', 'cycle', plan.cycle, 'start', books[START], 'end', books[STOP])

    plan.told_cap = false
    plan.cycle = plan.cycle + 1
    plan.start, plan.stop = at, end_of_cycle(plan.anchor, at)
    plan.usual_stop = plan.stop
    if plan.next_terms then
      plan.terms, plan.next_terms = plan.next_terms, false
      rate = plan.terms.per_minute > 0 and
             format('%d %d 0 0', plan.terms.per_minute, plan.terms.burst) or false
    end
    plan.peak = plan.terms.allocation
    local next = record(plan.cycle)
    next[START], next[STOP] = plan.start, plan.stop
    next[SETTLED], next.wholes[SETTLED] = settled_in_all()
    spent = 0
    for _, id in ipairs(open_top_ups) do
      local top_up = find_top_up(id)
      if top_up.automatic and top_up.status ~= TIMED_OUT then
        top_up.cycle = plan.cycle
        changed_top_ups[id] = top_up
        spent = spent + top_up.cents
      end
    end
    if plan.terms.allocation > 0 then
      add_grant('allocation:' .. integer(plan.cycle), 'allocation', plan.terms.allocation,
                priority_of('allocation'), plan.stop, '')
    end
  end

  -- Nobody has confirmed it for a week: it no longer stands in the way of the next need, which will ask for
  -- the same payment again.
  local function give_up_pending()
    local open = open_automatic()
    if not open or open.status ~= PENDING or now - open.next < PENDING_AT_MOST then return end
    set_status(open, TIMED_OUT)
    emit_top_up('top_up_failed', open)
  end

  -- Everything that was due by now, in the order in which it was.
  local function advance()
    give_up_pending()
    while true do
      local next
      for _, g in ipairs(active) do
        if g.expires > 0 and g.expires <= now and (not next or g.expires < next) then next = g.expires end
      end
      if plan and plan.stop <= now and (not next or plan.stop <= next) then
        close_cycle()
      elseif next then
        expire_grants(next)
      else
        return refresh()
      end
    end
  end

  -- --- holds that outlive their credits, or their cycle ---

  local function cycle_at(placed)
    local index = cycle_number()
    while index > 0 and record(index)[START] > placed do index = index - 1 end
    return index
  end

  -- Takes what an old hold has used: first what was kept for it; then, for a hold of a past cycle, what
  -- that cycle could have used; then that cycle's overage. Only the rest comes out of the credits of
  -- today. Returns what is to be billed, what lay beyond all grants, and the hour it is counted in.
  local function use_late(placed, used)
    bring_up_to_date()
    local rest, to_bill, booked_in = used, 0, nil
    for _, batch in ipairs(batches) do
      if placed < batch.stop then rest = burn(batch.grants, rest) end
    end
    local index = cycle_at(placed)
    if plan and index < plan.cycle then
      local books = record(index)
      rest = burn(active, rest, books[STOP])
      local may_bill = value(books, ROOM)
      to_bill = min(rest, may_bill)
      books[ROOM], books.wholes[ROOM] = may_bill - to_bill, 0
      rest = rest - to_bill
      books[SETTLED] = books[SETTLED] + used
      local current = record(plan.cycle)
      current[SETTLED] = current[SETTLED] + used
      booked_in = floor(books[STOP] / 3600000) - 1
    end
    local beyond = max(rest - total(active), 0)
    mark = mark + used - rest
    return to_bill, beyond, booked_in
  end

  local function release_claims(placed, amount)
    for _, batch in ipairs(batches) do
      if placed < batch.stop then batch.claims = batch.claims - amount end
    end
  end

  -- What was kept and no hold claims any more, from the last in burn-down order on.
  local function forfeit_unclaimed()
    if #batches == 0 then return refresh() end
    bring_up_to_date()
    local owed, before_it = overdrawn(), 0
    for _, batch in ipairs(batches) do
      local grants = batch.grants
      -- A hold that was placed by a clock which was ahead counts among the claims, and its end does not.
      batch.claims = min(batch.claims, held)
      local excess = before_it + total(grants) - batch.claims
      while excess > 0 and #grants > 0 do
        local last = grants[#grants]
        local part = min(excess, last.remaining)
        local lost = copy_of(last, last.remaining)
        last.remaining = last.remaining - part
        if last.remaining == 0 then grants[#grants] = nil end
        excess = excess - part
        owed = run_out(lost, part, batch.cycle, now, owed)
      end
      before_it = before_it + total(grants)
    end
    local left = {}
    for _, batch in ipairs(batches) do
      if #batch.grants > 0 then left[#left + 1] = batch end
    end
    batches = left
    refresh()
  end
