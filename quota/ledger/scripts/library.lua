-- The Redis Function library of the ledger. quota/redis/ledger_library.cpp writes its name in front of this text; the
-- modules of this folder stand between, each in a function that makes it (quota/bundle_lua.cmake).
--
-- On Redis 7.0 a library sees neither `redis.call` nor `string` while it loads, so the first call makes the modules.
-- Nothing else may be kept from one call to the next: what a call knows stands in a table that it makes (accounts.lua).
local apply = nil

local function call(keys, args)
  if #keys == 0 then return NAME end  -- asked whether it is here
  apply = apply or require('apply')
  return apply(keys, args)
end

local apply_usual = nil

local function call_usual(keys, args)
  apply_usual = apply_usual or require('apply_usual')
  return apply_usual(keys, args)
end

redis.register_function(NAME, call)
redis.register_function(NAME .. '_usual', call_usual)
-- For a store that accepts no writes: what needs none is answered all the same.
redis.register_function{function_name = NAME .. '_read_only', callback = call, flags = {'no-writes'}}
