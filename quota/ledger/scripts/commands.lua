-- Commands with any number of arguments. Lua passes a command no more than some thousand, and one that is refused in
-- the middle of a call would leave the account half written.
local call, min = redis.call, math.min

local commands = {}

local MOST = 2000  -- at once; an even number, so that fields and values stay together

-- `list` is a key and what follows it.
function commands.send(name, list)
  local size = #list
  if size <= MOST + 1 then return call(name, unpack(list)) end
  for first = 2, size, MOST do call(name, list[1], unpack(list, first, min(first + MOST - 1, size))) end
end

-- The values of the fields in `list`, whose first element is the key, in their order.
function commands.get_all(list)
  local size = #list
  if size <= MOST + 1 then return call('HMGET', unpack(list)) end
  local values = {}
  for first = 2, size, MOST do
    local last = min(first + MOST - 1, size)
    local found = call('HMGET', list[1], unpack(list, first, last))
    for i = 1, last - first + 1 do values[first + i - 2] = found[i] end
  end
  return values
end

return commands
