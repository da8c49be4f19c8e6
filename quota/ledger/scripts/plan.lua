-- Plan, grants, cycles and top-ups of an account: read when a call needs them, written back at its end.
local integers, accounts, gate, rows = require 'integers', require 'accounts', require 'gate', require 'plan_rows'
local records, grants, alerts, top_ups =
    require 'cycle_records', require 'grants', require 'alerts', require 'open_top_ups'
local call, format, match, gmatch, max = redis.call, string.format, string.match, string.gmatch, math.max
local split, join, text_of = integers.split, integers.join, integers.text
local ACCOUNT, STATUS = accounts.KEY.account, top_ups.STATUS
local PENDING_AT_MOST_MS = 604800000

local plan = {PENDING_AT_MOST_MS = PENDING_AT_MOST_MS}

local FIELDS = {'plan', 'terms', 'next_terms', 'options', 'limits', 'active', 'kept', 'mark', 'top_up',
                'open_top_ups', 'alerts', 'carried'}

-- Reads everything in the account besides the row; once per call, on first use.
function plan.read(account)
  if account.active then return end
  local found, stored = call('HMGET', account.keys[ACCOUNT], unpack(FIELDS)), {}
  for i, name in ipairs(FIELDS) do stored[name] = found[i] end

  account.plan = rows.read_plan(stored)  -- false before the first `configure`
  account.active, account.mark = rows.read_active(stored.active), tonumber(stored.mark or 0)
  account.batches = rows.read_batches(stored.kept)
  local spent, not_before, failures, requested = match(stored.top_up or '0 0 0 0', '^(%S+) (%S+) (%S+) (%S+)$')
  account.spent, account.not_before = tonumber(spent), tonumber(not_before)  -- cents of the cycle; the pause of top-ups
  account.failures, account.requested = tonumber(failures), tonumber(requested)
  account.open_top_ups = {}
  for id in gmatch(stored.open_top_ups or '', '[^\n]+') do
    account.open_top_ups[#account.open_top_ups + 1] = id
  end
  -- Amounts settled and expired before the totals were last carried, each in two numbers.
  local settled, expired = match(stored.carried or '0 0', '^(%S+) (%S+)$')
  account.settled_before, account.settled_wholes = split(settled)
  account.expired_before, account.expired_wholes = split(expired)

  account.records, account.touched = {}, {}
  account.top_ups, account.changed_top_ups = {}, {}
  -- The consequences of a change are checked after the next operation: until then, further changes may be made in the
  -- same instant, and their order makes no difference.
  account.unwatched = false
end

-- The same for a caller that will change it.
function plan.open(account)
  account.plan_changed = true
  plan.read(account)
end

-- Computes the gate again.
local function refresh(account)
  local own, earliest = account.plan, 0
  local function consider(at)
    if at > 0 and (earliest == 0 or at < earliest) then earliest = at end
  end
  for _, g in ipairs(account.active) do consider(g.expires) end
  account.old_before, account.kept = 0, grants.kept_in_all(account)
  for _, batch in ipairs(account.batches) do account.old_before = max(account.old_before, batch.stop) end
  account.threshold, account.room = -1, -1
  if own then
    account.cycle, account.cycle_start = text_of(own.cycle), own.start
    if own.cycle > 0 then account.old_before = max(account.old_before, own.start) end
    consider(own.stop)
    if account.unwatched then consider(account.now + 1) end
    account.overdraft = own.options.overdraft
    local overage, next = alerts.allows_overage(account), own.next_terms or own.terms
    account.until_then = (overage or next.allocation > 0) and own.stop or 0
    account.top_up_open = #account.open_top_ups > 0 and 1 or 0
    account.told = (own.told_exhausted and 1 or 0) + (own.told_cap and 2 or 0)
    account.limits = own.limits ~= '' and own.limits or false
    account.member_alerts = alerts.of_members(account)
    local open = top_ups.open_automatic(account)
    local idle = not open or open.status == STATUS.TIMED_OUT
    if open and open.status == STATUS.PENDING then consider(open.next + PENDING_AT_MOST_MS) end
    if own.options.threshold >= 0 and own.terms.price > 0 and idle then
      if account.not_before > account.now then
        consider(account.not_before)
      else
        account.threshold = own.options.threshold
      end
    end
    if overage then account.room = alerts.overage_room(account) + own.owed end
  end
  account.alert_at = account.unwatched and own and 0 or alerts.next(account)
  account.plan_due = earliest
end
plan.refresh = refresh

function plan.save(account)
  grants.carry_what_is_much(account)
  refresh(account)
  local own, write = account.plan, {account.keys[ACCOUNT]}
  local function set(name, value)
    write[#write + 1] = name
    write[#write + 1] = value
  end
  set('gate', gate.pack(account))
  set('active', rows.write_active(account.active))
  set('kept', rows.write_batches(account.batches))
  set('mark', text_of(account.mark))
  if account.settled_before + account.settled_wholes + account.expired_before + account.expired_wholes > 0 then
    set('carried', join(account.settled_before, account.settled_wholes) .. ' ' ..
                   join(account.expired_before, account.expired_wholes))
  end
  if own then
    set('alerts', rows.write_alerts(own))
    if account.member_alerts then set('member_alerts', account.member_alerts) end
    set('plan', rows.write_plan(own, account.told))
    set('terms', own.terms.text)
    set('next_terms', own.next_terms and own.next_terms.text or '')
    set('options', own.options.text)
    set('limits', own.limits)
    set('top_up', format('%d %d %d %d', account.spent, account.not_before, account.failures, account.requested))
    set('open_top_ups', table.concat(account.open_top_ups, '\n'))
  end
  call('HSET', unpack(write))
  records.save(account)
  top_ups.save(account)
end

-- --- for other modules: each function brings the gate up to date ---

function plan.add_grant(account, ...)
  plan.open(account)
  grants.add(account, ...)
  refresh(account)
end

function plan.carry(account)
  plan.open(account)
  grants.carry(account)
  refresh(account)
end

function plan.tell_refused(account, outcome)
  plan.open(account)
  alerts.tell_refused(account, outcome)
  refresh(account)
end

function plan.tell_member(account, ...)
  plan.read(account)
  alerts.tell_member(account, ...)
end

function plan.watch_alerts(account)
  plan.open(account)
  alerts.watch(account)
  refresh(account)
end

function plan.has_room_for(account, more)
  plan.read(account)
  return top_ups.leave_room_for(account, more)
end

function plan.cycle_end(account)
  plan.read(account)
  return account.plan and account.plan.stop or 0
end

return plan
