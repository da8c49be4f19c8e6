-- Top-ups: when one is requested, which worker delivers it, and its result.
local names, integers, accounts, grants, alerts =
    require 'names', require 'integers', require 'accounts', require 'grants', require 'alerts'
local open_top_ups, plans = require 'open_top_ups', require 'plan'
local min, max = math.min, math.max
local say, text_of = accounts.say, integers.text
local find, set_status, change = open_top_ups.find, open_top_ups.set_status, open_top_ups.change
local OUTCOME, VERDICT, REASON, STATUS = names.outcome, names.verdict, names.reason, open_top_ups.STATUS
local MAX, MAX_POSTED, MAX_CENTS, MAX_LEASE_MS =
    names.max_micro, 2 * names.max_micro, names.max_cents, names.max_hold_timeout_ms
local COOLDOWN, GIVES_UP, PAUSE = 60000, 86400000, 3600000

local top_ups = {}

local function ask_again(account, top_up)
  set_status(account, top_up, STATUS.REQUESTED)
  top_up.requested, top_up.next, top_up.attempts = account.now, account.now, 0
  account.top_up_due = true
  open_top_ups.emit(account, 'top_up_requested', top_up)
end

local function add(account, id, automatic, cents)
  local plan = account.plan
  local top_up = {id = id, automatic = automatic, status = STATUS.REQUESTED, cents = cents,
                  amount = integers.credits_bought(cents, plan.terms.price), resolved = 0, cycle = plan.cycle,
                  generation = 0, refunded = 0, disputed = 0}
  account.top_ups[id] = top_up
  ask_again(account, top_up)
  return top_up
end

-- Whether the cap covers the amount spent, `more`, and what would be billed for this balance.
local function covers(account, more, balance)
  local plan = account.plan
  if plan.options.cap < 0 then return true end
  local beyond = integers.cents_at_most(max(-balance - plan.owed, 0), plan.terms.price)
  return alerts.spent_cents(account) + more + beyond <= plan.options.cap
end
-- Whether `more` may be spent in this cycle in addition to the amount spent, or held and to be billed.
local function within_cap(account, more) return covers(account, more, account.available) end

-- Nothing is sold that could not be granted in full once paid.
local function can_sell(account, cents)
  local bought = integers.credits_bought(cents, account.plan.terms.price)
  return bought <= MAX and open_top_ups.leave_room_for(account, bought)
end

-- The cost of one purchase: the customer's amount, and at least the plan's minimum. If the customer wants one large
-- purchase, the amount that raises the balance to the threshold, if that is more and the cap allows it.
local function purchase_cents(account)
  local plan = account.plan
  local function may_buy(cents)
    return cents > 0 and cents <= MAX_CENTS and can_sell(account, cents) and within_cap(account, cents)
  end
  local one = max(plan.options.cents, plan.terms.minimum)
  if plan.options.fill then
    local gap = integers.cents_for(plan.options.threshold - account.available - account.held, plan.terms.price)
    if gap and gap > one and may_buy(gap) then return gap end
  end
  return may_buy(one) and one or nil
end

local function ask_for_one_that_timed_out(account, top_up)
  local cycle = account.plan.cycle
  local more = top_up.cycle == cycle and 0 or top_up.cents
  if within_cap(account, more) then
    account.spent, top_up.cycle = account.spent + more, cycle
    ask_again(account, top_up)
  else
    account.not_before = account.now + COOLDOWN
  end
end

-- The balance is below the threshold: request one top-up, unless one is open or was made recently.
function top_ups.watch_threshold(account)
  plans.open(account)
  if account.now < account.not_before then return plans.refresh(account) end  -- the clock has gone back
  local open = open_top_ups.open_automatic(account)
  if open then
    if open.status == STATUS.TIMED_OUT then ask_for_one_that_timed_out(account, open) end
  else
    local cents = purchase_cents(account)
    if cents then
      account.requested = account.requested + 1
      account.spent = account.spent + cents
      add(account, 'tu_' .. account.now_text .. '_' .. text_of(account.requested), true, cents)
    else
      account.not_before = account.now + COOLDOWN
    end
  end
  plans.refresh(account)
end

-- --- operations ---

function top_ups.request(account, id, cents)
  plans.open(account)
  local known = find(account, id)
  if known then
    local amount = text_of(known.amount)
    if known.cents ~= cents then return say(account, OUTCOME.exists_with_different_amount, amount) end
    if known.status == STATUS.TIMED_OUT then ask_again(account, known) end
    return say(account, OUTCOME.exists, amount)
  end
  local plan = account.plan
  local price = plan and plan.terms.price or 0
  if price == 0 or cents < 1 or cents > MAX_CENTS or cents < plan.terms.minimum or
     integers.credits_bought(cents, price) > MAX then
    return say(account, OUTCOME.out_of_range, '0')
  end
  if not can_sell(account, cents) then return say(account, OUTCOME.balance_full, '0') end
  say(account, OUTCOME.recorded, text_of(add(account, id, false, cents).amount))
end

-- The pause of automatic top-ups after a decline, a refund or a dispute.
local function back_off(failures) return min(900000 * 2 ^ min(failures - 1, 7), 86400000) end

local function decline(account, top_up)
  set_status(account, top_up, STATUS.DECLINED)
  top_up.resolved = account.now
  if top_up.automatic then
    if top_up.cycle == account.plan.cycle then account.spent = account.spent - top_up.cents end
    account.failures = account.failures + 1
    account.not_before = account.now + back_off(account.failures)
  end
  open_top_ups.emit(account, 'top_up_failed', top_up)
end

-- No payment has been requested yet, and the customer no longer wants it. Held credits do not count: holds end.
local function is_no_longer_wanted(account, top_up)
  return top_up.automatic and top_up.attempts == 0 and top_up.next <= top_up.requested and
         (account.plan.options.threshold < 0 or account.suspended or
          not covers(account, 0, account.available + account.held))
end

function top_ups.lease(account, id, lease)
  plans.open(account)
  if lease < 1 or lease > MAX_LEASE_MS then return say(account, OUTCOME.out_of_range, '0') end
  local top_up = find(account, id)
  if not top_up then return say(account, OUTCOME.not_found, '0') end
  local amount = text_of(top_up.amount)
  if top_up.status == STATUS.PAID then return say(account, OUTCOME.already_paid, amount) end
  if top_up.status == STATUS.DECLINED then return say(account, OUTCOME.already_declined, amount) end
  if top_up.status ~= STATUS.REQUESTED or top_up.next > account.now then
    return say(account, OUTCOME.in_progress, amount)
  end
  if is_no_longer_wanted(account, top_up) then
    decline(account, top_up)
    plans.refresh(account)
    return say(account, OUTCOME.already_declined, amount)
  end
  top_up.next, top_up.attempts = account.now + lease, top_up.attempts + 1
  change(account, top_up)
  say(account, OUTCOME.recorded, amount)
end

-- The credits that correspond to the refunded and disputed part of the payment.
local function taken_back(top_up)
  return integers.share(top_up.amount, min(top_up.cents, top_up.refunded + top_up.disputed), top_up.cents)
end
-- A customer who got money back does not want to be charged again at once.
local function take_back(account, top_up, reason, amount)
  account.failures = account.failures + 1
  account.not_before = max(account.not_before, account.now + back_off(account.failures))
  grants.add(account, 'top-up:' .. top_up.id .. ':' .. reason, 'correction', -amount,
             grants.priority_of('correction'), 0, '')
end

-- Cumulative sums, so that their order and repetition do not matter.
function top_ups.take_back(account, id, reason, cents)
  plans.open(account)
  local top_up = find(account, id)
  if not top_up then return say(account, OUTCOME.not_found, '0') end
  if cents < 1 or cents > MAX_CENTS then return say(account, OUTCOME.out_of_range, '0') end
  local is_refund = reason == REASON.refund
  local before, field = taken_back(top_up), is_refund and 'refunded' or 'disputed'
  local told = top_up[field]
  if cents <= told then return say(account, OUTCOME.exists, text_of(before)) end
  top_up[field] = cents
  local amount = taken_back(top_up) - before
  if top_up.status == STATUS.PAID and account.available - amount < -MAX then
    top_up[field] = told
    return say(account, OUTCOME.out_of_range, text_of(amount))
  end
  change(account, top_up)
  if top_up.status == STATUS.PAID and amount > 0 then
    take_back(account, top_up, (is_refund and 'refund:' or 'dispute:') .. text_of(cents), amount)
    plans.refresh(account)
  end
  say(account, OUTCOME.recorded, text_of(amount))
end

local function pay(account, top_up)
  local cycle = account.plan.cycle
  if top_up.automatic then
    if top_up.status == STATUS.DECLINED or top_up.cycle ~= cycle then account.spent = account.spent + top_up.cents end
    top_up.cycle = cycle
    account.failures, account.not_before = 0, account.now + COOLDOWN
  end
  set_status(account, top_up, STATUS.PAID)
  top_up.resolved = account.now
  grants.add(account, 'top-up:' .. top_up.id, 'top_up', top_up.amount, grants.priority_of('top_up'), 0, '')
  if taken_back(top_up) > 0 then take_back(account, top_up, 'early', taken_back(top_up)) end
  open_top_ups.emit(account, 'top_up_completed', top_up)
  plans.refresh(account)
end

-- No answer came, or nothing was paid under this key: it is delivered again later.
local function deliver_again(account, top_up, verdict, generation)
  local now, tried = account.now, top_up.attempts
  if verdict == VERDICT.spent and top_up.generation == generation then
    -- The attempts of the next key start at zero; a payment still in progress under this one has had enough time by
    -- then.
    tried, top_up.generation, top_up.attempts = min(tried, 4), generation + 1, 0
    top_up.requested = min(top_up.requested, now)  -- `next` is later, whatever the clock said: a payment was tried
  end
  tried = max(tried, top_up.generation)
  top_up.next = now + min(5000 * 2 ^ min(max(tried - 1, 0), 10), 3600000)
  change(account, top_up)
  if now - top_up.requested < GIVES_UP then return end
  set_status(account, top_up, STATUS.TIMED_OUT)
  if top_up.automatic then account.not_before = now + PAUSE end
  open_top_ups.emit(account, 'top_up_failed', top_up)
end

function top_ups.resolve(account, id, verdict, generation)
  plans.open(account)
  local top_up = find(account, id)
  if not top_up then return say(account, OUTCOME.not_found, '0') end
  local amount = text_of(top_up.amount)
  if top_up.status == STATUS.PAID then return say(account, OUTCOME.already_paid, amount) end
  if verdict == VERDICT.paid then
    -- A top-up that does not fit is not recorded as paid: it is reported again, and granted when there is room.
    if account.available + account.held + top_up.amount > MAX_POSTED then
      return say(account, OUTCOME.balance_full, amount)
    end
    pay(account, top_up)
    return say(account, OUTCOME.granted, amount)
  end
  if top_up.status == STATUS.DECLINED then return say(account, OUTCOME.already_declined, amount) end
  if verdict == VERDICT.declined then
    decline(account, top_up)
  elseif verdict == VERDICT.pending then
    top_up.next = account.now
    set_status(account, top_up, STATUS.PENDING)
  elseif top_up.status == STATUS.REQUESTED then
    deliver_again(account, top_up, verdict, generation)
  end
  plans.refresh(account)
  say(account, OUTCOME.recorded, amount)
end

return top_ups
