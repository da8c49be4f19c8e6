-- The usual calls of many organizations in one step. A quiet organization has nothing to batch, so they share the cost
-- that Redis has for each call. quota/ledger/README.md describes keys, arguments and answer.
local accounts, usual = require 'accounts', require 'usual'
local format = string.format
local KEYS_EACH, RESOLVED, NOT_USUAL = 5, 4, '-'

return function(keys, args)
  local now, hour = accounts.read_time()
  local hour_text = args[1]
  if hour ~= tonumber(hour_text) then return format('again %d', now) end
  local answers, at = {}, 2
  for i = 1, #keys / KEYS_EACH do
    local k = KEYS_EACH * (i - 1) + 1
    local last = at + args[at]
    local row = accounts.read_row(keys[k])
    answers[i] = usual(keys, k, keys[k + RESOLVED], args, at + 1, last, hour_text, now, row) or NOT_USUAL
    at = last + 1
  end
  return table.concat(answers, '\n')
end
