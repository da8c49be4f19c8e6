-- Grants credits, once for each id: g ID AMOUNT KIND NOTE EXPIRES PRIORITY.
local names, accounts, grants, plans = require 'names', require 'accounts', require 'grants', require 'plan'
local call, format, match = redis.call, string.format, string.match
local say, OUTCOME, MAX, GRANTS = accounts.say, names.outcome, names.max_micro, accounts.KEY.grants

return function(account, args, at)
  local id, amount_text, kind, note = args[at + 1], args[at + 2], args[at + 3], args[at + 4]
  local amount, expires = tonumber(amount_text), tonumber(args[at + 5])
  local priority = tonumber(args[at + 6]) or grants.priority_of(kind)
  if amount > MAX or amount < -MAX or (amount < 0 and kind ~= 'correction') or priority < 0 or
     priority > names.max_priority or (expires ~= 0 and expires <= account.now) then
    return say(account, OUTCOME.out_of_range, amount_text)
  end
  local known = call('HGET', account.keys[GRANTS], id)
  if known then
    local standing = match(known, '^%S+')
    local same = standing == amount_text
    return say(account, same and OUTCOME.exists or OUTCOME.exists_with_different_amount, standing)
  end
  if not plans.has_room_for(account, amount) then return say(account, OUTCOME.balance_full, amount_text) end
  call('HSET', account.keys[GRANTS], id,
       amount_text .. ' ' .. account.now_text .. format(' %d %d ', expires, priority) .. kind .. '\t' .. note)
  plans.add_grant(account, id, kind, amount, priority, expires, note)
  say(account, OUTCOME.granted, amount_text)
end
