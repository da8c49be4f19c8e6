-- Plans, cycles, grants, bills and top-ups. Calling this reads them; save() writes them back.
local function open_books()
  -- Named again: what a function has of its own costs nothing until it is called.
  local call, format, floor, match, min, max = redis.call, string.format, math.floor, string.match,
                                               math.min, math.max
  local MAX, MAX_TIMEOUT = 4000000000000000, 604800000
  local COOLDOWN, GIVES_UP, PAUSE, PENDING_AT_MOST = 60000, 86400000, 3600000, 604800000
  local MAX_CENTS, MAX_PRICE, MAX_RATE = 900000000000, 1000000000, 1000000
  local KINDS = {allocation = 5, purchase = 6, top_up = 7, promotion = 8, correction = 9}
  local PRIORITY = {rollover = 10, allocation = 30, promotion = 30, correction = 40}

  local function integer(number) return format('%d', number) end
  local function priority_of(kind) return PRIORITY[kind] or 50 end

  -- Exact as long as the products stay below 2^53: whole parts and remainders are multiplied apart.
  local function mul_div(a, b, c)
    local whole = floor(a / c)
    return whole * b + floor((a - whole * c) * b / c)
  end
  local function mul_div_half_up(a, b, c)
    local whole = floor(a / c)
    return whole * b + floor((2 * (a - whole * c) * b + c) / (2 * c))
  end
  local function cents_for(amount, price)
    local whole = floor(amount / 1000000)
    if whole * price > 9000000000000000 then return nil end
    local usd_micro = whole * price - floor(-(amount - whole * 1000000) * price / 1000000)
    return -floor(-usd_micro / 10000)
  end
  local function credits_bought(cents, price)
    if floor(cents * 10000 / price) > 4100000000 then return MAX + 1 end
    return min(mul_div_half_up(cents * 10000, 1000000, price), MAX + 1)
  end
  local function credits_covered(usd_micro, price)
    if floor(usd_micro / price) > 8000000000 then return 2 * MAX end
    return mul_div(usd_micro, 1000000, price)
  end

  -- The calendar: days since 1970-01-01 <-> year, month, day (the algorithms count years from March).
  local function civil(days)
    local z = days + 719468
    local era = floor(z / 146097)
    local doe = z - era * 146097
    local yoe = floor((doe - floor(doe / 1460) + floor(doe / 36524) - floor(doe / 146096)) / 365)
    local doy = doe - (365 * yoe + floor(yoe / 4) - floor(yoe / 100))
    local mp = floor((5 * doy + 2) / 153)
    local month = mp < 10 and mp + 3 or mp - 9
    return yoe + era * 400 + (month <= 2 and 1 or 0), month, doy - floor((153 * mp + 2) / 5) + 1
  end
  local function days_from(year, month, day)
    if month <= 2 then year = year - 1 end
    local era = floor(year / 400)
    local yoe = year - era * 400
    local doy = floor((153 * (month > 2 and month - 3 or month + 9) + 2) / 5) + day - 1
    return era * 146097 + yoe * 365 + floor(yoe / 4) - floor(yoe / 100) + doy - 719468
  end
  local function boundary_in(year, month, anchor)
    local first_of_next = month == 12 and days_from(year + 1, 1, 1) or days_from(year, month + 1, 1)
    return min(days_from(year, month, anchor), first_of_next - 1) * 86400000
  end
  local function start_of_cycle(anchor, at)
    local year, month = civil(floor(at / 86400000))
    local boundary = boundary_in(year, month, anchor)
    if boundary <= at then return boundary end
    if month == 1 then return boundary_in(year - 1, 12, anchor) end
    return boundary_in(year, month - 1, anchor)
  end
  local function end_of_cycle(anchor, at)
    local year, month = civil(floor(at / 86400000))
    local boundary = boundary_in(year, month, anchor)
    if boundary > at then return boundary end
    if month == 12 then return boundary_in(year + 1, 1, anchor) end
    return boundary_in(year, month + 1, anchor)
  end

  -- --- reading ---

  local stored = call('HMGET', KEYS[1], 'plan', 'terms', 'next_terms', 'options', 'limits', 'active',
                      'kept', 'mark', 'top_up', 'open_top_ups', 'alerts')

  local function read_terms(text)
    local a, b, c, d, e, f, g, name = match(text, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (.*)$')
    return {text = text, allocation = tonumber(a), percent = tonumber(b), cycles = tonumber(c),
            price = tonumber(d), minimum = tonumber(e), per_minute = tonumber(f), burst = tonumber(g),
            name = name}
  end
  local function read_options(text)
    local a, b, c, d, e = match(text, '^(%S+) (%S+) (%S+) (%S+) (%S+)$')
    return {text = text, overage = a == '1', cap = tonumber(b), overdraft = tonumber(c),
            threshold = tonumber(d), cents = tonumber(e)}
  end
  local function read_grant(line)
    local a, b, c, d, e, kind, id = match(line, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (.*)$')
    return {priority = tonumber(a), expires = tonumber(b), at = tonumber(c), amount = tonumber(d),
            remaining = tonumber(e), kind = kind, id = id}
  end
  local function write_grant(g)
    return format('%d %d %d %d %d ', g.priority, g.expires, g.at, g.amount, g.remaining) .. g.kind ..
           ' ' .. g.id
  end

  -- An alert as it was given, and what stands before it in the account: of one of the organization, whether
  -- it is armed; of one of an agent, conversation or key, since when it counts.
  local function read_alert(text, first)
    local kind, level, scope, id = match(text, '^(%d) (%d+) ?(%d?) ?(.*)$')
    local alert = {text = text, first = first, kind = tonumber(kind), level = tonumber(level)}
    if scope ~= '' then alert.scope, alert.id = scope, id else alert.armed = first == '1' end
    return alert
  end

  local plan = false  -- nothing before the first `configure`
  if stored[1] then
    local a, b, c, d, e, f, g = match(stored[1], '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$')
    plan = {owed = tonumber(f), told_exhausted = g == '1' or g == '3', told_cap = g == '2' or g == '3',
            alerts = {}, anchor = tonumber(a), cycle = tonumber(b), start = tonumber(c), stop = tonumber(d),
            peak = tonumber(e), terms = read_terms(stored[2]),
            next_terms = stored[3] and stored[3] ~= '' and read_terms(stored[3]) or false,
            options = read_options(stored[4]), limits = stored[5] or ''}
  end
  if plan then
    for first, text in string.gmatch(stored[11] or '', '(%d+) ([^\n]+)') do
      plan.alerts[#plan.alerts + 1] = read_alert(text, first)
    end
  end
  local active, batches, mark = {}, {}, tonumber(stored[8] or 0)
  for line in string.gmatch(stored[6] or '', '[^\n]+') do active[#active + 1] = read_grant(line) end
  for line in string.gmatch(stored[7] or '', '[^\n]+') do
    local a, b, c = match(line, '^= (%S+) (%S+) (%S+)$')
    if a then
      batches[#batches + 1] = {stop = tonumber(a), claims = tonumber(b), cycle = tonumber(c), grants = {}}
    else
      local grants = batches[#batches].grants
      grants[#grants + 1] = read_grant(line)
    end
  end
  local spent, not_before, failures, requested = 0, 0, 0, 0
  if stored[9] then
    local a, b, c, d = match(stored[9], '^(%S+) (%S+) (%S+) (%S+)$')
    spent, not_before, failures, requested = tonumber(a), tonumber(b), tonumber(c), tonumber(d)
  end
  local open_top_ups = {}
  for id in string.gmatch(stored[10] or '', '[^\n]+') do open_top_ups[#open_top_ups + 1] = id end

  -- The books of a cycle, a list of numbers: start, stop, closed, settled, allocation, purchase, top_up,
  -- promotion, correction, rolled in, rolled out, forfeited, overage room, rollover room, rollover ends,
  -- price; `billed` and `name` beside them. See cycle_record.
  local START, STOP, CLOSED, SETTLED, IN, OUT, FORFEITED = 1, 2, 3, 4, 10, 11, 12
  local ROOM, ROLL_ROOM, ROLL_ENDS, PRICE = 13, 14, 15, 16
  local records, touched = {}, {}
  local function record(index)
    local books = records[index]
    if not books then
      books = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, billed = {}, name = ''}
      local text = call('HGET', KEYS[7], integer(index))
      if text then
        local numbers, billed, name = match(text, '^(.-) ([^ \t]*)\t(.*)$')
        local i = 0
        for number in string.gmatch(numbers, '%S+') do
          i = i + 1
          books[i] = tonumber(number)
        end
        for amount, price in string.gmatch(billed, '(%d+)@(%d+)') do
          books.billed[#books.billed + 1] = {tonumber(amount), tonumber(price)}
        end
        books.name = name
      end
      records[index] = books
    end
    touched[index] = true
    return books
  end
  local function write_record(index, books)
    local texts, billed = {}, {}
    for i = 1, 16 do texts[i] = integer(books[i]) end
    for i, line in ipairs(books.billed) do billed[i] = integer(line[1]) .. '@' .. integer(line[2]) end
    call('HSET', KEYS[7], integer(index), table.concat(texts, ' ') .. ' ' .. table.concat(billed, ',') ..
         '\t' .. books.name)
  end

  local top_ups, changed_top_ups = {}, {}
  local function find_top_up(id)
    local found = top_ups[id]
    if found == nil then
      local text = call('HGET', KEYS[8], id)
      found = false
      if text then
        local kind, rest = match(text, '^(%a) (.*)$')
        found = {id = id, automatic = kind == 'a'}
        local names = {'status', 'cents', 'amount', 'requested', 'next', 'attempts', 'resolved', 'cycle'}
        local i = 0
        for number in string.gmatch(rest, '%S+') do
          i = i + 1
          found[names[i]] = tonumber(number)
        end
      end
      top_ups[id] = found
    end
    return found
  end
  local REQUESTED, PENDING, PAID, DECLINED, TIMED_OUT = 0, 1, 2, 3, 4
  -- The account's list names those that are open.
  local function set_status(top_up, status)
    local is_open = status == REQUESTED or status == PENDING or (status == TIMED_OUT and top_up.automatic)
    top_up.status = status
    changed_top_ups[top_up.id] = top_up
    for i = #open_top_ups, 1, -1 do
      if open_top_ups[i] == top_up.id then table.remove(open_top_ups, i) end
    end
    if is_open then open_top_ups[#open_top_ups + 1] = top_up.id end
  end
  local function open_automatic()
    for _, id in ipairs(open_top_ups) do
      local top_up = find_top_up(id)
      if top_up.automatic then return top_up end
    end
  end

  -- Facts are names and values in turn.
  local function emit(kind, ...)
    local facts = {}
    for i = 1, select('#', ...) do
      local fact = select(i, ...)
      facts[i] = type(fact) == 'number' and integer(fact) or fact
    end
    events = events or {}
    events[#events + 1] = {kind, table.concat(facts, ' ')}
  end
  local STATUS = {[0] = 'requested', 'pending', 'paid', 'declined', 'timed_out'}
  local function emit_top_up(kind, top_up)
    emit(kind, 'cents', top_up.cents, 'credits', top_up.amount, 'status', STATUS[top_up.status], 'top_up',
         top_up.id)
  end

  -- --- grants ---

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
  local function cycle_number() return plan and plan.cycle or 0 end
  local function owe_no_more_than_there_is()
    if plan then plan.owed = min(plan.owed, overdrawn()) end
  end
  local function append_grant(kind, id, amount, overage, in_cycle, by)
    append(kind, id, integer(amount), '0', integer(overage), '0', integer(in_cycle), by)
  end

  local function add_grant(id, kind, amount, priority, expires, note)
    bring_up_to_date()
    local owed = overdrawn()
    amount = min(amount, MAX - granted)
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
    amount = min(amount, MAX - granted)
    granted = granted + amount
    move_available(amount)
    local last = books.billed[#books.billed]
    if not last or last[2] ~= price then
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
    if grant.kind == 'allocation' and books[ROLL_ENDS] > as_of then rolled = min(lost, books[ROLL_ROOM]) end
    if rolled > 0 then
      books[ROLL_ROOM] = books[ROLL_ROOM] - rolled
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

  -- Open holds claim the first credits in burn-down order; what of them was about to run out is kept for
  -- those holds.
  local function expire_grants(at)
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

  -- --- cycles ---

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

  local function given_in_cycle()
    local books = record(plan.cycle)
    return books[5] + books[IN] + books[6] + books[7] + books[8] + books[9]
  end
  local function used_in_cycle() return settled - record(plan.cycle)[SETTLED] end
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
    return given > 0 and share_of(given, alert.level) or nil
  end
  local function reached(alert)
    if alert.kind == 1 then return spent_of_cap(alert.level) end
    local level = level_of(alert)
    return level and used_in_cycle() >= level
  end
  local function tell_refused(how)
    if not plan then return end
    if how == '20' and not plan.told_exhausted then
      plan.told_exhausted = true
      emit('balance_exhausted', 'available', available)
    elseif how == '24' and not plan.told_cap then
      plan.told_cap = true
      emit('spend_cap_reached', 'cap_cents', plan.options.cap, 'spent_cents', spent_cents(), 'overdrawn',
           overdrawn())
    end
  end
  local function left_of_active() return max(total(active) - (settled - mark), 0) end
  -- What has been crossed is told once, in the order of the list.
  local function watch_alerts()
    if not plan then return end
    for _, alert in ipairs(plan.alerts) do
      local there = not alert.scope and reached(alert)
      if there and alert.armed then
        if alert.kind == 1 then
          emit('usage_threshold', 'cap_percent', alert.level, 'cap_cents', plan.options.cap, 'spent_cents',
               spent_cents(), 'overdrawn', overdrawn())
        else
          emit('usage_threshold', alert.kind == 0 and 'percent' or 'credits', alert.level, 'used',
               used_in_cycle(), 'of', given_in_cycle())
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
    local left, over, base = left_of_active(), overdrawn(), record(plan.cycle)[SETTLED]
    local function at_overdrawn(needed) return needed and settled + left + max(needed - over, 0) end
    for _, alert in ipairs(plan.alerts) do
      if alert.armed and alert.kind == 1 then
        consider(at_overdrawn(overdrawn_at(alert.level)))
      elseif alert.armed then
        local level = level_of(alert)
        consider(level and base + level)
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
    alert_at = next_alert()
    plan_due = earliest
  end

  local function close_cycle()
    local at = plan.stop
    local books = record(plan.cycle)
    books[ROLL_ROOM] = min(mul_div(min(plan.peak, books[KINDS.allocation]), plan.terms.percent, 100), MAX)
    books[ROLL_ENDS] = plan.terms.cycles > 0 and at or 0
    for _ = 1, plan.terms.cycles do books[ROLL_ENDS] = end_of_cycle(plan.anchor, books[ROLL_ENDS]) end
    expire_grants(at)
    local may_bill, due = overage_room(), billable()
    if due > 0 then bill(due, plan.cycle) end
    plan.owed = overdrawn()
    books[ROOM] = may_bill - due
    books.name, books[PRICE] = plan.terms.name, plan.terms.price
    books[SETTLED], books[CLOSED] = settled - books[SETTLED], 1
    emit('cycle_closed', 'cycle', plan.cycle, 'start', books[START], 'end', books[STOP])

    plan.told_cap = false
    plan.cycle = plan.cycle + 1
    plan.start, plan.stop = at, end_of_cycle(plan.anchor, at)
    if plan.next_terms then
      plan.terms, plan.next_terms = plan.next_terms, false
      rate = plan.terms.per_minute > 0 and
             format('%d %d 0 0', plan.terms.per_minute, plan.terms.burst) or false
    end
    plan.peak = plan.terms.allocation
    local next = record(plan.cycle)
    next[START], next[STOP], next[SETTLED] = plan.start, plan.stop, settled
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
      to_bill = min(rest, books[ROOM])
      books[ROOM] = books[ROOM] - to_bill
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

  -- --- top-ups ---

  local function ask_again(top_up)
    set_status(top_up, REQUESTED)
    top_up.requested, top_up.next, top_up.attempts = now, now, 0
    top_up_due = true
    emit_top_up('top_up_requested', top_up)
  end

  local function new_top_up(id, automatic, cents)
    local top_up = {id = id, automatic = automatic, status = REQUESTED, cents = cents, 
                    amount = credits_bought(cents, plan.terms.price), resolved = 0, cycle = plan.cycle}
    top_ups[id] = top_up
    ask_again(top_up)
    return top_up
  end

  -- Whether so much more may be spent in this cycle, besides what is, or is held and would be billed.
  local function within_cap(more)
    if plan.options.cap < 0 then return true end
    local beyond = cents_for(max(-available - plan.owed, 0), plan.terms.price) or MAX_CENTS
    return spent_cents() + more + beyond <= plan.options.cap
  end

  local function needed_cents()
    local price = plan.terms.price
    local for_gap = cents_for(plan.options.threshold - available + 1, price)
    if not for_gap or for_gap > MAX_CENTS then return nil end
    local cents = max(plan.options.cents, plan.terms.minimum, for_gap)
    if credits_bought(cents, price) > MAX or not within_cap(cents) then return nil end
    return cents
  end

  -- Fewer credits than the threshold: one top-up, unless one is under way or has just been.
  local function watch_threshold()
    local open = open_automatic()
    if open then
      if open.status == TIMED_OUT then
        local more = open.cycle == plan.cycle and 0 or open.cents
        if within_cap(more) then
          spent, open.cycle = spent + more, plan.cycle
          ask_again(open)
        else
          not_before = now + COOLDOWN
        end
      end
    else
      local cents = needed_cents()
      if cents then
        requested = requested + 1
        spent = spent + cents
        new_top_up('tu_' .. now_text .. '_' .. integer(requested), true, cents)
      else
        not_before = now + COOLDOWN
      end
    end
    refresh()
  end

  local function request_top_up(id, cents)
    local known = find_top_up(id)
    if known then
      if known.cents ~= cents then return say('11', integer(known.amount)) end
      if known.status == TIMED_OUT then ask_again(known) end
      return say('10', integer(known.amount))
    end
    local price = plan and plan.terms.price or 0
    if price == 0 or cents < 1 or cents > MAX_CENTS or cents < plan.terms.minimum or
       credits_bought(cents, price) > MAX then
      return say('22', '0')
    end
    say('8', integer(new_top_up(id, false, cents).amount))
  end

  local function decline(top_up)
    set_status(top_up, DECLINED)
    top_up.resolved = now
    if top_up.automatic then
      if top_up.cycle == plan.cycle then spent = spent - top_up.cents end
      failures = failures + 1
      not_before = now + min(900000 * 2 ^ min(failures - 1, 7), 86400000)
    end
    emit_top_up('top_up_failed', top_up)
  end

  local function lease_top_up(id, lease)
    if lease < 1 or lease > MAX_TIMEOUT then return say('22', '0') end
    local top_up = find_top_up(id)
    if not top_up then return say('15', '0') end
    local amount = integer(top_up.amount)
    if top_up.status == PAID then return say('18', amount) end
    if top_up.status == DECLINED then return say('19', amount) end
    if top_up.status ~= REQUESTED or top_up.next > now then return say('17', amount) end
    -- Nobody has been asked for money yet, and the customer wants no more of it.
    if top_up.automatic and top_up.attempts == 0 and
       (plan.options.threshold < 0 or suspended or not within_cap(0)) then
      decline(top_up)
      refresh()
      return say('19', amount)
    end
    top_up.next, top_up.attempts = now + lease, top_up.attempts + 1
    changed_top_ups[id] = top_up
    say('8', amount)
  end

  local function resolve_top_up(id, verdict)
    local top_up = find_top_up(id)
    if not top_up then return say('15', '0') end
    local amount = integer(top_up.amount)
    if top_up.status == PAID then return say('18', amount) end
    if verdict == '0' then
      if top_up.automatic then
        if top_up.status == DECLINED or top_up.cycle ~= plan.cycle then spent = spent + top_up.cents end
        top_up.cycle = plan.cycle
        failures, not_before = 0, now + COOLDOWN
      end
      set_status(top_up, PAID)
      top_up.resolved = now
      add_grant('top-up:' .. id, 'top_up', top_up.amount, priority_of('top_up'), 0, '')
      emit_top_up('top_up_completed', top_up)
      refresh()
      return say('6', amount)
    end
    if top_up.status == DECLINED then return say('19', amount) end
    if verdict == '1' then
      decline(top_up)
    elseif verdict == '2' then
      if top_up.status ~= PENDING then top_up.next = now end
      set_status(top_up, PENDING)
    elseif top_up.status == REQUESTED then
      top_up.next = now + min(5000 * 2 ^ min(max(top_up.attempts - 1, 0), 10), 3600000)
      changed_top_ups[id] = top_up
      if now - top_up.requested >= GIVES_UP then
        set_status(top_up, TIMED_OUT)
        if top_up.automatic then not_before = now + PAUSE end
        emit_top_up('top_up_failed', top_up)
      end
    end
    refresh()
    say('8', amount)
  end

  -- --- configure ---

  local function within(value, low, high) return value and value >= low and value <= high end

  local function terms_in_bounds(t)
    return within(t.allocation, 0, MAX) and within(t.percent, 0, 1000) and within(t.cycles, 0, 120) and
           within(t.price, 0, MAX_PRICE) and within(t.minimum, 0, MAX_CENTS) and
           within(t.per_minute, 0, MAX_RATE) and within(t.burst, t.per_minute > 0 and 1 or 0, MAX_RATE)
  end
  local function options_in_bounds(o)
    return within(o.cap, -1, MAX_CENTS) and within(o.overdraft, -1, MAX) and
           within(o.threshold, -1, MAX) and within(o.cents, 0, MAX_CENTS)
  end

  -- The first boundary of that anchor that does not cut the cycle short.
  local function end_with_anchor(day) return end_of_cycle(day, plan.stop - 1) end

  -- For the time that the cycle gains there is a share of the allocation.
  local function change_anchor(day)
    bring_up_to_date()
    local was = plan.stop
    local usual = floor((was - plan.start) / 1000)
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
    local share = mul_div_half_up(plan.terms.allocation, floor((plan.stop - was) / 1000), usual)
    if share <= 0 then return 0 end
    return add_grant('allocation:' .. integer(plan.cycle) .. ':until:' .. integer(plan.stop), 'allocation',
                     share, priority_of('allocation'), plan.stop, '')
  end

  local function change_terms(terms)
    local books = record(plan.cycle)
    -- What has been used so far is billed at the price at which it was.
    if terms.price ~= plan.terms.price then
      local due = billable()
      if due > 0 then bill(due, plan.cycle) end
    end
    if terms.per_minute ~= plan.terms.per_minute or terms.burst ~= plan.terms.burst then
      rate = terms.per_minute > 0 and format('%d %d 0 0', terms.per_minute, terms.burst) or false
    end
    local id, amount = 'allocation:' .. integer(plan.cycle), terms.allocation
    if books[KINDS.allocation] > 0 then
      local more = max(terms.allocation - plan.peak, 0)
      amount = mul_div_half_up(more, floor((plan.stop - now) / 1000), floor((plan.stop - plan.start) / 1000))
      id = id .. ':' .. now_text
    end
    plan.terms, plan.next_terms = terms, false
    plan.peak = max(plan.peak, terms.allocation)
    if amount <= 0 then return 0 end
    return add_grant(id, 'allocation', amount, priority_of('allocation'), plan.stop, '')
  end

  -- Limits come as lines "SCOPE PER MOST ID" and are kept with the time from which they count in front.
  local function change_options(options, lines, alert_lines)
    -- What was used under the old options is billed under them; new ones bind from now on.
    local may_bill, old_options = billable(), plan.options
    plan.options = options
    local still = billable()
    plan.options = old_options
    if may_bill > still then bill(may_bill - still, plan.cycle) end
    local since, plain = {}, {}
    for line in string.gmatch(plan.limits, '[^\n]+') do
      local at, limit = match(line, '^(%d+) (.*)$')
      local scope, id = match(limit, '^(%d %d) %d+ (.*)$')
      since[scope .. ' ' .. id] = at
      plain[#plain + 1] = limit
    end
    local kept_lines = {}
    for line in string.gmatch(lines, '[^\n]+') do
      local scope, id = match(line, '^(%d %d) %d+ (.*)$')
      kept_lines[#kept_lines + 1] = (since[scope .. ' ' .. id] or integer(now + 1)) .. ' ' .. line
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
    local terms, options = read_terms(terms_text), read_options(options_text)
    if not terms_in_bounds(terms) or not options_in_bounds(options) or not within(anchor, 0, 31) or
       not limits_in_bounds(lines) or not alerts_in_bounds(alert_lines) then
      return say('22', '0')
    end
    if plan and anchor > 0 and end_with_anchor(anchor) > plan.start + 62 * 86400000 then
      return say('22', '0')
    end
    local first = not plan
    local overage_before = plan and allows_overage()
    local old_terms = plan and plan.terms.text
    local old_next = plan and plan.next_terms and plan.next_terms.text
    local old_anchor = plan and plan.anchor
    if first then
      if anchor == 0 then
        local _, _, day = civil(floor(now / 86400000))
        anchor = day
      end
      local none = read_terms('0 0 0 0 0 0 0 ')
      plan = {anchor = anchor, cycle = 0, start = start_of_cycle(anchor, now),
              stop = end_of_cycle(anchor, now), peak = 0, terms = none, next_terms = false,
              options = read_options('1 -1 -1 -1 0'), limits = '', owed = overdrawn(), alerts = {},
              told_exhausted = true, told_cap = false}
      local books = record(0)
      books[START], books[STOP] = plan.start, plan.stop
    end
    local given = 0
    if first or at_once then
      given = change_terms(terms)
    else
      plan.next_terms = terms.text ~= plan.terms.text and terms or false
    end
    local changed = change_options(options, lines, alert_lines)
    if not first and anchor > 0 and anchor ~= plan.anchor then given = given + change_anchor(anchor) end
    if not overage_before and allows_overage() then plan.owed = overdrawn() end
    changed = changed or first or old_terms ~= plan.terms.text or old_anchor ~= plan.anchor or
              old_next ~= (plan.next_terms and plan.next_terms.text)
    if changed then emit('billing_updated', 'plan', plan.terms.name) end
    refresh()
    say('7', integer(given))
  end

  -- --- writing ---

  local function save()
    refresh()
    local lines, gate = {}, nil
    for i, g in ipairs(active) do lines[i] = write_grant(g) end
    local active_text = table.concat(lines, '\n')
    lines = {}
    for _, batch in ipairs(batches) do
      lines[#lines + 1] = format('= %d %d %d', batch.stop, batch.claims, batch.cycle)
      for _, g in ipairs(batch.grants) do lines[#lines + 1] = write_grant(g) end
    end
    gate = cycle .. format(' %d %d %d %d %d %d %d %d %d %d %d', cycle_start, old_before, kept, room,
                           overdraft, threshold, plan_due, until_then, top_up_open, alert_at,
                           told + (member_alerts and 4 or 0))
    local write = {KEYS[1], 'gate', gate, 'active', active_text, 'kept', table.concat(lines, '\n'),
                   'mark', integer(mark)}
    local function set(name, value)
      write[#write + 1] = name
      write[#write + 1] = value
    end
    if plan then
      local alerts = {}
      for i, alert in ipairs(plan.alerts) do
        alerts[i] = (alert.scope and alert.first or alert.armed and '1' or '0') .. ' ' .. alert.text
      end
      set('alerts', table.concat(alerts, '\n'))
      if member_alerts then set('member_alerts', member_alerts) end
      set('plan', format('%d %d %d %d %d %d %d', plan.anchor, plan.cycle, plan.start, plan.stop, plan.peak,
                         plan.owed, told))
      set('terms', plan.terms.text)
      set('next_terms', plan.next_terms and plan.next_terms.text or '')
      set('options', plan.options.text)
      set('limits', plan.limits)
      set('top_up', format('%d %d %d %d', spent, not_before, failures, requested))
      set('open_top_ups', table.concat(open_top_ups, '\n'))
    end
    call('HSET', unpack(write))
    for index in pairs(touched) do write_record(index, records[index]) end
    for id, t in pairs(changed_top_ups) do
      call('HSET', KEYS[8], id, (t.automatic and 'a' or 'm') ..
           format(' %d %d %d %d %d %d %d %d', t.status, t.cents, t.amount, t.requested, t.next,
                  t.attempts, t.resolved, t.cycle))
    end
  end

  return {
    add_grant = function(...)
      local amount = add_grant(...)
      refresh()
      return amount
    end,
    priority_of = priority_of, bill = bill, advance = advance, cycle_at = cycle_at, use_late = use_late,
    release_claims = release_claims, forfeit_unclaimed = forfeit_unclaimed,
    watch_threshold = watch_threshold, request_top_up = request_top_up, lease_top_up = lease_top_up,
    resolve_top_up = resolve_top_up, configure = configure, save = save,
    tell_refused = function(how)
      tell_refused(how)
      refresh()
    end,
    tell_member = function(alert, used, scope, who)
      emit('usage_threshold', alert.kind == 0 and 'percent' or 'credits', alert.level, 'used', used, 'of',
           given_in_cycle(), scope == 0 and 'agent' or scope == 1 and 'conversation' or 'key', who)
    end,
    watch_alerts = function()
      watch_alerts()
      refresh()
    end,
    cycle_end = function() return plan and plan.stop or 0 end,
  }
end

local books_opened, books_changed
local function books()
  books_changed = true
  books_opened = books_opened or open_books()
  return books_opened
end
local function books_to_read()
  books_opened = books_opened or open_books()
  return books_opened
end
