-- Commands with any number of arguments. Lua passes at most a few thousand arguments to a command, and a command that
-- is refused in the middle of a call would leave the account half written.
local call, min = redis.call, math.min

local commands = {}

local MOST = 2000  -- arguments per command; even, so that fields and values stay together

-- `list` is a key and the arguments after it.
function commands.send(name, list)
  local size = #list
  if size <= MOST + 1 then return call(name, unpack(list)) end
  for first = 2, size, MOST do call(name, list[1], unpack(list, first, min(first + MOST - 1, size))) end
end

-- Returns the values of the fields in `list`, in order. The first element of `list` is the key.
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
