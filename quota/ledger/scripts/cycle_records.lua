-- The record of a cycle (cycle_record in quota/cycle.hpp): a list of numbers, at the positions below. `billed` and
-- `name` are fields of their own, and `wholes` has the part of each number that exceeds a double.
local integers, accounts = require 'integers', require 'accounts'
local call, format, match, gmatch = redis.call, string.format, string.match, string.gmatch
local split, join, text_of, WHOLE = integers.split, integers.join, integers.text, integers.WHOLE
local CYCLES = accounts.KEY.cycles

local records = {
  START = 1, STOP = 2, CLOSED = 3, SETTLED = 4,  -- settled: total when the cycle began; its own once closed
  ROLLED_IN = 10, ROLLED_OUT = 11, FORFEITED = 12,
  ROOM = 13, ROLL_ROOM = 14, ROLL_ENDS = 15, PRICE = 16,  -- for late calls of a closed cycle
  OF_KIND = {allocation = 5, purchase = 6, top_up = 7, promotion = 8, correction = 9},
}
local PLACES = 16

local function read(text)
  local record = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, billed = {}, name = '', wholes = {}}
  if not text then return record end
  local numbers, billed, name = match(text, '^(.-) ([^ \t]*)\t(.*)$')
  local i = 0
  for number in gmatch(numbers, '%S+') do
    i = i + 1
    if #number < 16 then
      record[i] = tonumber(number)
    else
      record[i], record.wholes[i] = split(number)
    end
  end
  for amount, price in gmatch(billed, '(%d+)@(%d+)') do
    record.billed[#record.billed + 1] = {tonumber(amount), tonumber(price)}
  end
  record.name = name
  return record
end

-- The record of that cycle. It is written when the plan is saved.
function records.get(account, index)
  local record = account.records[index]
  if not record then
    record = read(call('HGET', account.keys[CYCLES], text_of(index)))
    account.records[index] = record
  end
  account.touched[index] = true
  return record
end

local function write(record)
  local texts, billed = {}, {}
  for i = 1, PLACES do texts[i] = join(record[i], record.wholes[i] or 0) end
  for i, line in ipairs(record.billed) do billed[i] = format('%d@%d', line[1], line[2]) end
  return table.concat(texts, ' ') .. ' ' .. table.concat(billed, ',') .. '\t' .. record.name
end

function records.save(account)
  for index in pairs(account.touched) do
    call('HSET', account.keys[CYCLES], text_of(index), write(account.records[index]))
  end
end

-- The number as a double: exact up to 2^53.
function records.value(record, place) return record[place] + (record.wholes[place] or 0) * WHOLE end

-- Sets a number that is below 2^53.
function records.set(record, place, number) record[place], record.wholes[place] = number, 0 end

return records
