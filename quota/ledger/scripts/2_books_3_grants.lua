-- In open_books(): grants in burn-down order, what runs out, and what is billed.

  local function total(grants)
    local sum = 0
    for _, g in ipairs(grants) do sum = sum + g.remaining end
    return sum
  end
  local function kept_in_all()
    local sum = 0
    for _, batch in ipairs(batches) do sum = sum + total(batch.grants) end
    return sum
  end
  local function posted() return granted - settled - expired end

  -- Takes up to `amount` off the grants in their order; returns what they could not cover.
  local function burn(grants, amount, granted_before)
    for _, g in ipairs(grants) do
      if amount <= 0 then break end
      if not granted_before or g.at < granted_before then
        local taken = min(amount, g.remaining)
        g.remaining = g.remaining - taken
        amount = amount - taken
      end
    end
    local left = 0
    for i = 1, #grants do
      local g = grants[i]
      grants[i] = nil
      if g.remaining > 0 then
        left = left + 1
        grants[left] = g
      end
    end
    return amount
  end
  local function insert(grants, grant)
    local place = #grants + 1
    local expires = grant.expires == 0 and math.huge or grant.expires
    while place > 1 do
      local other = grants[place - 1]
      local others = other.expires == 0 and math.huge or other.expires
      local burns_before = grant.priority < other.priority or
                           (grant.priority == other.priority and expires < others)
      if not burns_before then break end
      place = place - 1
    end
    table.insert(grants, place, grant)
  end
  local function bring_up_to_date()
    burn(active, settled - mark)
    mark = settled
  end
  local function overdrawn()
    return max(total(active) - (settled - mark), 0) + kept_in_all() - posted()
  end
  -- What is resolved leaves the totals, so that they never grow beyond what a double adds exactly. What follows
  -- from the total of what is settled is told anew by refresh().
  local CARRY = 1000000000000000
  local function carry()
    bring_up_to_date()
    settled_before, settled_wholes = normal(settled_before + settled, settled_wholes)
    expired_before, expired_wholes = normal(expired_before + expired, expired_wholes)
    granted, settled, expired, mark = granted - settled - expired, 0, 0, 0
  end
  local function carry_what_is_much()
    if settled + expired >= CARRY then carry() end
  end

  -- Whether these credits may be given, besides those that have been asked for and may come any moment.
  local function has_room_for(more)
    if more <= 0 then return available + more >= -MAX end
    if available + held + asked_for() + more > MAX then return false end
    local rest, wholes = normal(granted, settled_wholes + expired_wholes)
    rest, wholes = normal(rest + settled_before + expired_before, wholes)
    rest, wholes = normal(rest + more, wholes)
    return wholes < 8000  -- max_lifetime_micro
  end

  local function cycle_number() return plan and plan.cycle or 0 end
  local function owe_no_more_than_there_is()
    if plan then plan.owed = min(plan.owed, overdrawn()) end
  end
  local function append_grant(kind, id, amount, overage, in_cycle, by)
    append(kind, id, integer(amount), '0', integer(overage), '0', integer(in_cycle), by)
  end

  local function add_grant(id, kind, amount, priority, expires, note)
    carry_what_is_much()
    bring_up_to_date()
    local owed = overdrawn()
    granted = granted + amount
    move_available(amount)
    local books = record(cycle_number())
    local line = KINDS[kind] or KINDS.correction
    books[line] = books[line] + amount
    local overage
    if amount < 0 then
      overage = burn(active, -amount)
      if plan then plan.owed = plan.owed + overage end
    else
      local paid_off = min(owed, amount)
      overage = -paid_off
      if amount > paid_off then
        if plan then plan.told_exhausted = false end
        insert(active, {id = id, kind = kind, priority = priority, expires = expires, at = now,
                        amount = amount, remaining = amount - paid_off})
      end
      owe_no_more_than_there_is()
    end
    append_grant('grant', id, amount, overage, cycle_number(), kind .. '\t' .. note)
    return amount
  end

  local function bill(amount, index)
    local books = record(index)
    local price = books[CLOSED] == 1 and books[PRICE] or plan.terms.price
    carry_what_is_much()
    granted = granted + amount
    move_available(amount)
    local last = books.billed[#books.billed]
    if not last or last[2] ~= price or last[1] + amount > MAX then
      last = {0, price}
      books.billed[#books.billed + 1] = last
    end
    last[1] = last[1] + amount
    append_grant('bill', 'overage:' .. integer(index), amount, -amount, index, 'overage\t' .. integer(price))
    emit('overage_billed', 'cycle', index, 'credits', amount, 'price', price)
  end

  -- Of an allocation, what the plan lets go on becomes a grant of the next cycle, after it has paid off
  -- what is owed; the rest is forfeited. Returns what is still owed.
  local function run_out(grant, lost, index, as_of, owed)
    local books = record(index)
    local rolled = 0
    if grant.kind == 'allocation' and books[ROLL_ENDS] > as_of then
      rolled = min(lost, value(books, ROLL_ROOM))
    end
    if rolled > 0 then
      books[ROLL_ROOM], books.wholes[ROLL_ROOM] = value(books, ROLL_ROOM) - rolled, 0
      books[OUT] = books[OUT] + rolled
      local into = record(books[CLOSED] == 1 and plan.cycle or index + 1)
      into[IN] = into[IN] + rolled
      local id, known = 'rollover:' .. integer(index), nil
      for _, g in ipairs(active) do
        if g.kind == 'rollover' and g.id == id then
          known = g
          break
        end
      end
      if known then
        known.amount = known.amount + rolled
        known.remaining = known.remaining + rolled
      else
        insert(active, {id = id, kind = 'rollover', priority = priority_of('rollover'),
                        expires = books[ROLL_ENDS], at = now, amount = rolled, remaining = rolled})
      end
      local paid_off = min(owed, rolled)
      burn(active, paid_off)
      owed = owed - paid_off
      if plan then plan.owed = min(plan.owed, owed) end
      append_grant('roll_over', grant.id, rolled, -paid_off, index, 'rollover\t' .. id)
    end
    local rest = lost - rolled
    if rest > 0 then
      expired = expired + rest
      move_available(-rest)
      books[FORFEITED] = books[FORFEITED] + rest
      append_grant('forfeit', grant.id, rest, 0, index, grant.kind .. '\t')
    end
    return owed
  end

  local function copy_of(grant, remaining)
    local copy = {}
    for name, value in pairs(grant) do copy[name] = value end
    copy.remaining = remaining
    return copy
  end

  -- What is open when credits run out, or a cycle closes, was placed before that, whatever clock said when.
  local function place_holds_before(at)
    local stored = call('HGETALL', KEYS[2])
    for i = 1, #stored, 2 do
      local head, placed, tail = match(stored[i + 1], '^(%d+ %d+ %S+ )(%d+)(.*)$')
      if tonumber(placed) >= at then call('HSET', KEYS[2], stored[i], head .. integer(at - 1) .. tail) end
    end
  end
  -- Open holds claim the first credits in burn-down order; what of them was about to run out is kept for
  -- those holds.
  local function expire_grants(at)
    place_holds_before(at)
    bring_up_to_date()
    local batch = {stop = at, claims = held, cycle = cycle_number(), grants = {}}
    local staying, leaving, ahead = {}, {}, kept_in_all()
    for _, g in ipairs(active) do
      if g.expires == 0 or g.expires > at then
        ahead = ahead + g.remaining
        staying[#staying + 1] = g
      else
        local claimed = min(max(held - ahead, 0), g.remaining)
        ahead = ahead + claimed
        if claimed > 0 then batch.grants[#batch.grants + 1] = copy_of(g, claimed) end
        leaving[#leaving + 1] = copy_of(g, g.remaining - claimed)
      end
    end
    active = staying
    if #batch.grants > 0 then batches[#batches + 1] = batch end
    local owed = 0
    for _, g in ipairs(leaving) do owed = run_out(g, g.remaining, cycle_number(), at, owed) end
  end
