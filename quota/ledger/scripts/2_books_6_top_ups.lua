-- In open_books(): top-ups.

  local function ask_again(top_up)
    set_status(top_up, REQUESTED)
    top_up.requested, top_up.next, top_up.attempts = now, now, 0
    top_up_due = true
    emit_top_up('top_up_requested', top_up)
  end

  local function new_top_up(id, automatic, cents)
    local top_up = {id = id, automatic = automatic, status = REQUESTED, cents = cents,
                    amount = credits_bought(cents, plan.terms.price), resolved = 0, cycle = plan.cycle,
                    generation = 0, refunded = 0, disputed = 0}
    top_ups[id] = top_up
    ask_again(top_up)
    return top_up
  end

  -- Whether the cap covers what was spent, so much more, and what would be billed of this balance.
  local function covers(more, balance)
    if plan.options.cap < 0 then return true end
    local beyond = cents_for(max(-balance - plan.owed, 0), plan.terms.price) or MAX_CENTS
    return spent_cents() + more + beyond <= plan.options.cap
  end
  -- Whether so much more may be spent in this cycle, besides what is, or is held and would be billed.
  local function within_cap(more) return covers(more, available) end

  -- Nothing is sold that could not be granted whole when it has been paid.
  local function can_sell(cents)
    local bought = credits_bought(cents, plan.terms.price)
    return bought <= MAX and has_room_for(bought)
  end

  -- What one purchase costs: the customer's amount, and at least the plan's minimum. Where the customer
  -- wants one large purchase, what lifts the balance to the threshold, if that is more and the cap allows it.
  local function purchase_cents()
    local price = plan.terms.price
    local function may_buy(cents)
      return cents > 0 and cents <= MAX_CENTS and can_sell(cents) and within_cap(cents)
    end
    local one = max(plan.options.cents, plan.terms.minimum)
    if plan.options.fill then
      local gap = cents_for(plan.options.threshold - available - held, price)
      if gap and gap > one and may_buy(gap) then return gap end
    end
    return may_buy(one) and one or nil
  end

  -- Fewer credits than the threshold: one top-up, unless one is under way or has just been.
  local function watch_threshold()
    if now < not_before then return refresh() end  -- the clock has gone back
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
      local cents = purchase_cents()
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
    if not can_sell(cents) then return say('26', '0') end
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
    -- Nobody has been asked for money yet, and the customer wants no more of it. Holds pass.
    if top_up.automatic and top_up.attempts == 0 and top_up.next <= top_up.requested and
       (plan.options.threshold < 0 or suspended or not covers(0, available + held)) then
      decline(top_up)
      refresh()
      return say('19', amount)
    end
    top_up.next, top_up.attempts = now + lease, top_up.attempts + 1
    changed_top_ups[id] = top_up
    say('8', amount)
  end

  -- The credits that go with what came back of the payment.
  local function taken_back(top_up)
    return share(top_up.amount, min(top_up.cents, top_up.refunded + top_up.disputed), top_up.cents)
  end
  -- Who got money back does not want to be charged again at once.
  local function take_back(top_up, reason, amount)
    failures = failures + 1
    not_before = max(not_before, now + min(900000 * 2 ^ min(failures - 1, 7), 86400000))
    add_grant('top-up:' .. top_up.id .. ':' .. reason, 'correction', -amount, priority_of('correction'), 0, '')
  end

  -- Cumulative sums, so that it does not matter which of them is told first, or twice.
  local function take_back_top_up(id, reason, cents)
    local top_up = find_top_up(id)
    if not top_up then return say('15', '0') end
    if cents < 1 or cents > MAX_CENTS then return say('22', '0') end
    local before, field = taken_back(top_up), reason == '0' and 'refunded' or 'disputed'
    local told = top_up[field]
    if cents <= told then return say('10', integer(before)) end
    top_up[field] = cents
    local amount = taken_back(top_up) - before
    if top_up.status == PAID and available - amount < -MAX then
      top_up[field] = told
      return say('22', integer(amount))
    end
    changed_top_ups[id] = top_up
    if top_up.status == PAID and amount > 0 then
      take_back(top_up, (reason == '0' and 'refund:' or 'dispute:') .. integer(cents), amount)
      refresh()
    end
    say('8', integer(amount))
  end

  local function resolve_top_up(id, verdict, generation)
    local top_up = find_top_up(id)
    if not top_up then return say('15', '0') end
    local amount = integer(top_up.amount)
    if top_up.status == PAID then return say('18', amount) end
    if verdict == '0' then
      -- One that does not fit is not recorded as paid: it is told again, and granted when there is room.
      if available + held + top_up.amount > MAX_POSTED then return say('26', amount) end
      if top_up.automatic then
        if top_up.status == DECLINED or top_up.cycle ~= plan.cycle then spent = spent + top_up.cents end
        top_up.cycle = plan.cycle
        failures, not_before = 0, now + COOLDOWN
      end
      set_status(top_up, PAID)
      top_up.resolved = now
      add_grant('top-up:' .. id, 'top_up', top_up.amount, priority_of('top_up'), 0, '')
      if taken_back(top_up) > 0 then take_back(top_up, 'early', taken_back(top_up)) end
      emit_top_up('top_up_completed', top_up)
      refresh()
      return say('6', amount)
    end
    if top_up.status == DECLINED then return say('19', amount) end
    if verdict == '1' then
      decline(top_up)
    elseif verdict == '2' then
      top_up.next = now
      set_status(top_up, PENDING)
    elseif top_up.status == REQUESTED then
      local tried = top_up.attempts
      if verdict == '4' and top_up.generation == generation then
        -- The next key begins anew; but what may be going on under this one has had enough time by then.
        tried, top_up.generation, top_up.attempts = min(tried, 4), generation + 1, 0
        top_up.requested = min(top_up.requested, now)  -- `next` is later, wherever the clock was: money was asked for
      end
      tried = max(tried, top_up.generation)
      top_up.next = now + min(5000 * 2 ^ min(max(tried - 1, 0), 10), 3600000)
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
