-- Why a hold cannot be placed or extended.
local names, accounts, limits, plans = require 'names', require 'accounts', require 'limits', require 'plan'
local format, match, floor, min, max = string.format, string.match, math.floor, math.min, math.max
local say, OUTCOME = accounts.say, names.outcome
local A_REQUEST, LONGEST_PAUSE_MS = 60000, 1000000000

local admission = {}

-- Why `more` cannot be held: outcome, the details of the refusal, and whether a critical call is refused too.
function admission.objection(account, more, by, critical, placed, standing, counted)
  local beyond = more - account.available - max(account.room, 0)
  local money = account.room >= 0 and OUTCOME.cap_reached or OUTCOME.insufficient_balance
  if beyond > 0 and critical and account.overdraft >= 0 and beyond > account.overdraft then return money, nil, true end
  local limited = account.limits and limits.objection(account, more, by, placed, standing, counted)
  if limited then return OUTCOME.limit_reached, limited end
  if beyond > 0 then return money end
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

return admission
