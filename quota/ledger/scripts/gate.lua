-- The gate: what a call for a hold must know of plan, grants and alerts. It stands ready in one field of the account,
-- so that a call reads the rest of them only when the clock, a refusal or a threshold asks for it. `plan.refresh` makes
-- it. quota/redis/gate_row.cpp reads and writes the same text; a test compares the two.
local format, match, max = string.format, string.match, math.max

local gate = {}

-- What an account has before the first one is written. -1: there is none.
gate.NONE = {
  cycle = '0', cycle_start = 0,  -- the running cycle: its number (text) and its beginning
  old_before = 0,                -- holds placed before this outlived their credits, or their cycle
  kept = 0,                      -- credits that are kept for those
  room = -1, overdraft = -1,     -- how far the balance may go below zero, and how much further for critical calls
  threshold = -1,                -- below this balance a top-up is due
  plan_due = 0,                  -- when a grant, the cycle or a pause ends; 0: nothing will
  until_then = 0,                -- when the next credits come; 0: nobody knows
  top_up_open = 0,               -- 1: a top-up has been asked for
  alert_at = -1,                 -- the total of what is settled at which an alert will be crossed
  told = 3,                      -- 1: that the balance is exhausted has been told; 2: likewise the spend cap; 3: both
  member_alerts = false,         -- whether there are alerts of agents, conversations or keys; or their text, when read
}

-- Twelve numbers with blanks between; 4 is added to `told` where there are member alerts.
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

-- What a single call looks at before it knows that it needs no more: cycle (text), cycle_start, old_before, kept,
-- threshold, plan_due, alert_at, and the last number.
local FEW = '^(%S+) (%S+) (%S+) (%S+) %S+ %S+ (%S+) (%S+) %S+ %S+ (%S+) (%S+)$'
function gate.unpack_few(text)
  local cycle, start, old_before, kept, threshold, plan_due, alert_at, told = match(text, FEW)
  return cycle, tonumber(start), tonumber(old_before), tonumber(kept), tonumber(threshold), tonumber(plan_due),
         tonumber(alert_at), told >= '4'
end

-- The same where no credits are kept and no member has alerts: cycle (text), before when a hold is old (`old_before` or
-- the beginning of the cycle), threshold, alert_at. Otherwise nothing.
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
