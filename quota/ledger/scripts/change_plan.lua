-- Changes within a cycle when an organization agrees to a new plan: terms, anchor, options, limits, alerts.
local integers, calendar, accounts, rows =
    require 'integers', require 'calendar', require 'accounts', require 'plan_rows'
local records, grants, alerts, cycles = require 'cycle_records', require 'grants', require 'alerts', require 'cycles'
local floor, max, abs, match, gmatch = math.floor, math.max, math.abs, string.match, string.gmatch
local mul_div_half_up, text_of = integers.mul_div_half_up, integers.text
local MAX_LONGER_MS = 62 * 86400000

local change = {}

-- --- shares of an allocation ---

-- The first boundary of that anchor that does not cut the cycle short.
local function end_with_anchor(plan, day) return calendar.end_of_cycle(day, plan.stop - 1) end

-- The parts before and after the usual end of the cycle are rounded separately, so that a larger allocation and a
-- longer cycle give the same total in either order.
local function usual_length(plan) return floor((plan.usual_stop - plan.start) / 1000) end
local function longer_share(plan, allocation)
  return mul_div_half_up(allocation, floor((plan.stop - plan.usual_stop) / 1000), usual_length(plan))
end
local function share_of_cycle(account, allocation)
  local plan = account.plan
  local left = plan.usual_stop - account.now
  local share = mul_div_half_up(allocation, floor(abs(left) / 1000), usual_length(plan))
  return longer_share(plan, allocation) + (left < 0 and -share or share)
end

-- The approximate share of an allocation for the time that another anchor adds to the cycle.
local function share_for_anchor(plan, allocation, day)
  return mul_div_half_up(allocation, floor((end_with_anchor(plan, day) - plan.stop) / 1000), usual_length(plan))
end

-- The most that a change may grant, now or when the cycle closes.
function change.most_granted(plan, at_once, anchor, terms)
  local given = terms.allocation
  if not plan then return given end
  local peak = at_once and max(plan.peak, given) or plan.peak
  if at_once then given = given + longer_share(plan, given) end
  if at_once and plan.peak > 0 then given = max(given - plan.peak, 0) end
  if anchor > 0 and anchor ~= plan.anchor then given = given + share_for_anchor(plan, peak, anchor) end
  return given
end

-- --- the anchor ---

function change.is_too_long(plan, anchor) return end_with_anchor(plan, anchor) > plan.start + MAX_LONGER_MS end

-- The cycle continues until the new anchor's next boundary, and so do the grants that were to end with it. The added
-- time brings a share of the allocation.
function change.anchor(account, day)
  grants.bring_up_to_date(account)
  local plan = account.plan
  local before = longer_share(plan, plan.peak)
  plan.stop = end_with_anchor(plan, day)
  plan.anchor = day
  records.get(account, plan.cycle)[records.STOP] = plan.stop
  local moved = {}
  for _, g in ipairs(account.active) do
    if (g.kind == 'allocation' or g.kind == 'rollover') and g.expires > 0 then
      g.expires = calendar.end_of_cycle(day, g.expires - 1)
    end
    grants.insert(moved, g)
  end
  account.active = moved
  local share = longer_share(plan, plan.peak) - before
  if share <= 0 then return 0 end
  return grants.add(account, 'allocation:' .. text_of(plan.cycle) .. ':until:' .. text_of(plan.stop), 'allocation',
                    share, grants.priority_of('allocation'), plan.stop, '')
end

local function is_beginning(account) return account.plan.cycle == 0 and account.plan.began == account.now end
change.is_beginning = is_beginning

-- An anchor that is set in the same instant in which the first cycle began counts as the anchor it began with.
function change.begin_with_anchor(account, day)
  local plan, now = account.plan, account.now
  plan.anchor, plan.start, plan.stop = day, calendar.start_of_cycle(day, now), calendar.end_of_cycle(day, now)
  plan.usual_stop = plan.stop
  local record = records.get(account, 0)
  record[records.START], record[records.STOP] = plan.start, plan.stop
  for _, g in ipairs(account.active) do
    if g.kind == 'allocation' then g.expires = plan.stop end
  end
end

-- --- the terms ---

-- What has been used so far is billed under the previous agreement; the part that this does not cover is owed in
-- credits. So of several changes in one instant, the first settles up under the agreement before all of them, and their
-- order makes no difference.
function change.settle_up(account)
  local due = alerts.billable(account)
  if due > 0 then grants.bill(account, due, account.plan.cycle) end
  account.plan.owed = grants.overdrawn(account)
end

function change.terms(account, terms)
  local plan = account.plan
  if terms.per_minute ~= plan.terms.per_minute or terms.burst ~= plan.terms.burst then
    account.rate = cycles.rate_of(terms)
  end
  local id, amount = 'allocation:' .. text_of(plan.cycle), terms.allocation + longer_share(plan, terms.allocation)
  if plan.peak > 0 then
    local peak = max(terms.allocation, plan.peak)
    amount = is_beginning(account) and peak - plan.peak or
             share_of_cycle(account, peak) - share_of_cycle(account, plan.peak)
    id = id .. ':' .. account.now_text
  end
  plan.terms, plan.next_terms = terms, false
  plan.peak = max(plan.peak, terms.allocation)
  if amount <= 0 then return 0 end
  return grants.add(account, id, 'allocation', amount, grants.priority_of('allocation'), plan.stop, '')
end

-- --- options, limits and alerts ---

-- Limits are passed as lines "SCOPE PER MOST ID". They are stored with the sequence from which they count in front.
-- Returns whether they have changed.
local function change_limits(account, lines)
  local since, plain, kept, first = {}, {}, {}, nil
  for line in gmatch(account.plan.limits, '[^\n]+') do
    local at, limit = match(line, '^(%d+) (.*)$')
    local scope, id = match(limit, '^(%d %d) %d+ (.*)$')
    since[scope .. ' ' .. id] = at
    plain[#plain + 1] = limit
  end
  for line in gmatch(lines, '[^\n]+') do
    local scope, id = match(line, '^(%d %d) %d+ (.*)$')
    local at = since[scope .. ' ' .. id]
    if not at then  -- limits set together share one number, which no hold has noted yet
      first = first or text_of(accounts.next_of_sequence(account, account.now + 1))
      at = first
    end
    kept[#kept + 1] = at .. ' ' .. line
  end
  account.plan.limits = table.concat(kept, '\n')
  return lines ~= table.concat(plain, '\n')
end

local function change_alerts(account, lines)
  local plan, armed, counts_since, old = account.plan, {}, {}, {}
  for i, alert in ipairs(plan.alerts) do
    old[i] = alert.text
    if alert.scope then
      counts_since[alert.scope .. alert.id] = alert.first
    else
      armed[alert.text] = alert.armed and '1' or '0'
    end
  end
  plan.alerts = {}
  for line in gmatch(lines, '[^\n]+') do
    local alert = rows.read_alert(line, armed[line] or '1')
    -- Alerts of one scope and id count together: a new one counts from when the existing ones do.
    if alert.scope then alert.first = counts_since[alert.scope .. alert.id] or account.now_text end
    plan.alerts[#plan.alerts + 1] = alert
  end
  return lines ~= table.concat(old, '\n')
end

-- Returns whether anything has changed.
function change.options(account, options, limit_lines, alert_lines)
  local plan = account.plan
  local other_options = options.text ~= plan.options.text
  local other_limits = change_limits(account, limit_lines)
  local other_alerts = change_alerts(account, alert_lines)
  plan.options = options
  local changed = other_options or other_limits or other_alerts
  if changed then account.not_before, plan.told_cap = 0, false end
  return changed
end

return change
