-- The Redis Function library of the ledger. quota/redis/ledger_library.cpp writes its name before this text; the
-- modules of this directory stand in between, each in a function that creates it (quota/bundle_lua.cmake).
--
-- On Redis 7.0 a library has neither `redis.call` nor `string` while it loads, so the first call creates the modules.
-- No other state may be kept between calls: a call keeps its state in a table that it makes (accounts.lua).
local apply = nil

local function call(keys, args)
  if #keys == 0 then return NAME end  -- asked whether the library is loaded
  apply = apply or require('apply')
  return apply(keys, args)
end

local apply_usual = nil

local function call_usual(keys, args)
  apply_usual = apply_usual or require('apply_usual')
  return apply_usual(keys, args)
end

-- Every command that a call may send. Redis checks the user's permission at each of them, and a call that is refused in
-- the middle would leave an account half written. So a connection whose user may not send all of them is not used.
local COMMANDS = {'EXPIREAT', 'HDEL', 'HEXISTS', 'HGET', 'HGETALL', 'HLEN', 'HMGET', 'HRANDFIELD', 'HSET', 'TIME',
                  'XADD'}

-- Readiness: changes nothing, and is refused wherever a call that writes would be.
local function check(keys)
  for _, command in ipairs(COMMANDS) do
    if redis.acl_check_cmd and not redis.acl_check_cmd(command, keys[1], '1', '1', '1') then
      return redis.error_reply('NOPERM the user may not send ' .. command .. ', which the ledger needs')
    end
  end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

redis.register_function(NAME, call)
redis.register_function(NAME .. '_check', check)
redis.register_function(NAME .. '_usual', call_usual)
-- For a store that accepts no writes: operations that need none are still answered.
redis.register_function{function_name = NAME .. '_read_only', callback = call, flags = {'no-writes'}}
