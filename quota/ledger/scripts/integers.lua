-- Exact arithmetic. Lua counts in doubles, which are exact up to 2^53; amounts that may exceed that are kept in two
-- numbers.
local names = require 'names'
local format, sub, floor, min = string.format, string.sub, math.floor, math.min
local MAX, MAX_CENTS = names.max_micro, names.max_cents

local integers = {}

-- A sum over an account's life exceeds 2^53. It is two numbers: a rest, and how many times WHOLE is added to it.
local WHOLE, PLAIN = 1000000000000000, 5000000000000000
integers.WHOLE = WHOLE

local function normal(rest, wholes)  -- 0 <= rest < WHOLE
  local over = floor(rest / WHOLE)
  rest, wholes = rest - over * WHOLE, wholes + over
  if rest < 0 then rest, wholes = rest + WHOLE, wholes - 1 end  -- the quotient was rounded up
  return rest, wholes
end
integers.normal = normal

function integers.split(text)
  if #text < 16 then return tonumber(text), 0 end
  local rest, wholes = tonumber(sub(text, -15)), tonumber(sub(text, 1, -16)) or 0
  return sub(text, 1, 1) == '-' and -rest or rest, wholes
end

function integers.join(rest, wholes)
  if wholes == 0 and rest > -PLAIN and rest < PLAIN then return format('%d', rest) end
  local sign = ''
  rest, wholes = normal(rest, wholes)
  if wholes < 0 then
    sign, rest, wholes = '-', -rest, -wholes
    if rest < 0 then rest, wholes = rest + WHOLE, wholes - 1 end
  end
  if wholes == 0 then return sign .. format('%d', rest) end
  return sign .. format('%d%015d', wholes, rest)
end

-- %d, because Lua's own notation would write 1e+15.
function integers.text(number) return format('%d', number) end

-- Whole parts and remainders are multiplied separately, so that the products stay below 2^53.
function integers.mul_div(a, b, c)
  local whole = floor(a / c)
  return whole * b + floor((a - whole * c) * b / c)
end
local function mul_div_half_up(a, b, c)
  local whole = floor(a / c)
  return whole * b + floor((2 * (a - whole * c) * b + c) / (2 * c))
end
integers.mul_div_half_up = mul_div_half_up

-- a * b / c, half up, for b <= c <= max_cents, by the digits of b in base 4096, one after another.
function integers.share(a, b, c)
  local whole = floor(a / c)
  local rest, quotient, left = a - whole * c, 0, 0
  for power = 3, 0, -1 do
    local digit = floor(b / 4096 ^ power) % 4096
    left = left * 4096 + rest * digit
    quotient = quotient * 4096 + floor(left / c)
    left = left % c
  end
  return whole * b + quotient + (2 * left >= c and 1 or 0)
end

-- The cost of an amount of credits; nil if it is more than any cap.
function integers.cents_for(amount, price)
  local whole = floor(amount / 1000000)
  if whole * price > 9000000000000000 then return nil end
  local usd_micro = whole * price - floor(-(amount - whole * 1000000) * price / 1000000)
  return -floor(-usd_micro / 10000)
end
-- The same, where a cost above any cap may count as the largest amount there is.
function integers.cents_at_most(amount, price) return integers.cents_for(amount, price) or MAX_CENTS end

function integers.credits_bought(cents, price)
  if floor(cents * 10000 / price) > 4100000000 then return MAX + 1 end
  return min(mul_div_half_up(cents * 10000, 1000000, price), MAX + 1)
end

function integers.credits_covered(usd_micro, price)
  if floor(usd_micro / price) > 8000000000 then return 2 * MAX end
  return integers.mul_div(usd_micro, 1000000, price)
end

-- `percent` of an amount, rounded up; at most twice the largest balance.
function integers.share_of(amount, percent)
  if amount < 0 then return -floor(-amount * percent / 100) end
  local whole = floor(amount / 100)
  if whole * percent > 2 * MAX then return 2 * MAX end
  return min(whole * percent - floor(-(amount - whole * 100) * percent / 100), 2 * MAX)
end

return integers
