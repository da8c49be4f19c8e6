-- Plans, cycles, grants, bills and top-ups. Calling open_books() reads them; save() writes them back.
--
-- It is one function, so that a call which needs nothing of it makes nothing of it, and its parts share what
-- they know. The files 2_books_* are its text, one after another: this one begins it, with arithmetic and
-- the calendar; 2_books_8_writing ends it.
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
  -- a * b / c, half up, for b <= c <= MAX_CENTS: the digits of b, base 4096, one after another.
  local function share(a, b, c)
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
