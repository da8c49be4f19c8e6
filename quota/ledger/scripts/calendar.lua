-- Cycles of an anchor day: the first and the last instant, in milliseconds UTC.
local floor, min = math.floor, math.min
local DAY = 86400000

local calendar = {}

-- Days since 1970-01-01 to year, month and day, and back. The algorithms begin the year with March.
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
  return min(days_from(year, month, anchor), first_of_next - 1) * DAY
end

function calendar.start_of_cycle(anchor, at)
  local year, month = civil(floor(at / DAY))
  local boundary = boundary_in(year, month, anchor)
  if boundary <= at then return boundary end
  if month == 1 then return boundary_in(year - 1, 12, anchor) end
  return boundary_in(year, month - 1, anchor)
end

function calendar.end_of_cycle(anchor, at)
  local year, month = civil(floor(at / DAY))
  local boundary = boundary_in(year, month, anchor)
  if boundary > at then return boundary end
  if month == 12 then return boundary_in(year + 1, 1, anchor) end
  return boundary_in(year, month + 1, anchor)
end

function calendar.day_of_month(at)
  local _, _, day = civil(floor(at / DAY))
  return day
end

return calendar
