-- The gate: what a call for a hold must know of plan, grants and alerts. It is kept in one field of the account, so
-- that a call reads the rest only when the clock, a refusal or a threshold requires it. `plan.refresh` writes it.
-- quota/redis/gate_row.cpp reads and writes the same text; a test compares the two.
local format, match, max = string.format, string.match, math.max

local gate = {}

-- The values of an account without a stored gate. -1: there is none.
gate.NONE = {
  cycle = '0', cycle_start = 0,  -- the running cycle: its number (text) and its start
  old_before = 0,                -- holds placed before this outlived their credits, or their cycle
  kept = 0,                      -- credits that are kept for those holds
  room = -1, overdraft = -1,     -- how far the balance may go below zero, and how much further for critical calls
  threshold = -1,                -- below this balance a top-up is due
  plan_due = 0,                  -- when a grant, the cycle or a pause ends; 0: none will end
  until_then = 0,                -- when the next credits come; 0: unknown
  top_up_open = 0,               -- 1: a top-up is open
  alert_at = -1,                 -- the total settled amount at which an alert will be crossed
  told = 3,                      -- 1: the exhausted balance has been reported; 2: the spend cap has; 3: both
  member_alerts = false,         -- whether agents, conversations or keys have alerts; once read, their text
}

-- Twelve numbers separated by blanks; 4 is added to `told` if there are member alerts.
local PATTERN = '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$'
local MEMBER_ALERTS = 4

function gate.unpack(text, account)
  local a, b, c, d, e, f, g, h, i, j, k, l = match(text, PATTERN)
  account.cycle, account.cycle_start, account.old_before, account.kept = a, tonumber(b), tonumber(c), tonumber(d)
  account.room, account.overdraft, account.threshold = tonumber(e), tonumber(f), tonumber(g)
  account.plan_due, account.until_then, account.top_up_open = tonumber(h), tonumber(i), tonumber(j)
  account.alert_at = tonumber(k)
  local told = tonumber(l)
  account.told, account.member_alerts = told % MEMBER_ALERTS, told >= MEMBER_ALERTS
end

-- The values that a single call reads before it knows that it needs no more: cycle (text), cycle_start, old_before,
-- kept, threshold, plan_due, alert_at, and the last number.
local FEW = '^(%S+) (%S+) (%S+) (%S+) %S+ %S+ (%S+) (%S+) %S+ %S+ (%S+) (%S+)$'
function gate.unpack_few(text)
  local cycle, start, old_before, kept, threshold, plan_due, alert_at, told = match(text, FEW)
  return cycle, tonumber(start), tonumber(old_before), tonumber(kept), tonumber(threshold), tonumber(plan_due),
         tonumber(alert_at), told >= '4'
end

-- The same if no credits are kept and no member has alerts: cycle (text), the time before which a hold is old
-- (`old_before` or the start of the cycle), threshold, alert_at. Otherwise nothing.
local ORDINARY = '^(%S+) (%S+) (%S+) 0 %S+ %S+ (%S+) %S+ %S+ %S+ (%S+) [0-3]$'
function gate.unpack_ordinary(text)
  local cycle, start, old_before, threshold, alert_at = match(text, ORDINARY)
  if not cycle then return end
  old_before = tonumber(old_before)
  if cycle ~= '0' then old_before = max(old_before, tonumber(start)) end
  return cycle, old_before, tonumber(threshold), tonumber(alert_at)
end

function gate.pack(account)
  return format('%s %d %d %d %d %d %d %d %d %d %d %d', account.cycle, account.cycle_start, account.old_before,
                account.kept, account.room, account.overdraft, account.threshold, account.plan_due,
                account.until_then, account.top_up_open, account.alert_at,
                account.told + (account.member_alerts and MEMBER_ALERTS or 0))
end

return gate
