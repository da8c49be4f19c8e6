-- Why a hold cannot be placed or extended.
local names, accounts, limits, plans = require 'names', require 'accounts', require 'limits', require 'plan'
local format, match, floor, min, max = string.format, string.match, math.floor, math.min, math.max
local call, say, OUTCOME, ACCOUNT = redis.call, accounts.say, names.outcome, accounts.KEY.account
local A_REQUEST, LONGEST_PAUSE_MS = 60000, 1000000000

local admission = {}

-- What the sidecar's configuration says of critical calls: how far they may go beyond the balance if the account sets
-- no overdraft of its own (-1: any distance), and the rate of those that do (0: any number).
local function critical_terms(account)
  local overdraft, per_minute, burst = match(account.args[3], '^%d+ (%S+) (%S+) (%S+)$')
  return tonumber(overdraft or -1), tonumber(per_minute or 0), tonumber(burst or 0)
end

-- Why `more` cannot be held: outcome, the details of the refusal, whether a critical call is refused too, and whether
-- it goes beyond the balance.
function admission.objection(account, more, by, critical, placed, standing, counted)
  local beyond = more - account.available - max(account.room, 0)
  local money = account.room >= 0 and OUTCOME.cap_reached or OUTCOME.insufficient_balance
  if beyond > 0 and critical then
    local most = account.overdraft
    if most < 0 then most = critical_terms(account) end
    if most >= 0 and beyond > most then return money, nil, true, true end
  end
  local limited = account.limits and limits.objection(account, more, by, placed, standing, counted)
  if limited then return OUTCOME.limit_reached, limited, nil, beyond > 0 end
  if beyond > 0 then return money, nil, nil, true end
end

function admission.is_for_money(outcome)
  return outcome == OUTCOME.insufficient_balance or outcome == OUTCOME.cap_reached
end

-- Says what would have been admitted, when the next credits come, whether a top-up is open, and what other calls hold.
-- The first refusal is reported as an event, but only if `needed` credits would have been refused even with nothing
-- held, because holds give back what they do not use.
function admission.refuse_for_money(account, outcome, amount, more, needed, standing)
  local told, room = account.told, max(account.room, 0)
  local untold = outcome == OUTCOME.insufficient_balance and told % 2 == 0 or
                 outcome == OUTCOME.cap_reached and told < 2
  say(account, outcome, amount,
      (more and more .. ' ' or '') .. format('W%d,%d,0,3,0,%d,%d', max(account.available + room, 0), account.until_then,
                                             account.top_up_open, account.held - standing))
  if untold and needed > account.available + account.held + room then plans.tell_refused(account, outcome) end
end

-- The request rate: a bucket that a request fills by 60,000 and that drains by `per_minute` each millisecond. Returns
-- the bucket as it is now, its text for the answer, and, if no request is available now, when one will be.
function admission.take_request(rate, now)
  local per_minute, burst, level, at = match(rate, '^(%d+) (%d+) (%d+) (%d+)$')
  per_minute, burst, level = tonumber(per_minute), tonumber(burst), tonumber(level)
  local elapsed = min(max(now - at, 0), LONGEST_PAUSE_MS)
  level = max(level - elapsed * per_minute, 0)
  local excess, wait = level + A_REQUEST - burst * A_REQUEST, nil
  if excess <= 0 then
    level = level + A_REQUEST
  else
    wait = format('W0,%d,0,3,0,0,0', now - floor(-excess / per_minute))
  end
  return format('%d %d %d %d', per_minute, burst, level, now),
         format('R%d,%d,%d,%d', per_minute, burst, floor((burst * A_REQUEST - level) / A_REQUEST),
                now - floor(-level / per_minute)), wait
end

-- Takes a request from the bucket of critical calls beyond the balance. If there is none: its text for the answer, and
-- when the next one is available.
function admission.take_critical_request(account)
  local _, per_minute, burst = critical_terms(account)
  if per_minute == 0 then return end
  local stored = account.critical_rate or call('HGET', account.keys[ACCOUNT], 'critical_rate') or ''
  local level, at = match(stored, '^(%d+) (%d+)$')
  local bucket = format('%d %d %s %s', per_minute, burst, level or '0', at or account.now_text)
  local taken, text, wait = admission.take_request(bucket, account.now)
  if wait then return text, wait end
  account.critical_rate = match(taken, '(%d+ %d+)$')
end

return admission
