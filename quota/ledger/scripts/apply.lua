-- Applies a list of operations to one account, in order, in one atomic step. quota/ledger/README.md describes keys,
-- arguments and answer. The transitions are the same as those of quota/ledger/account_ledger.cpp and its neighbours and
-- give the same answers: a seeded simulation compares the two.
local accounts, schema, holds, usage, sweep =
    require 'accounts', require 'schema', require 'holds', require 'usage', require 'sweep'
local operations, give, configure, top_ups =
    require 'operations', require 'give', require 'configure', require 'top_ups'
local plans, cycles, grants, counters, forget_counters =
    require 'plan', require 'cycles', require 'grants', require 'counters', require 'forget_counters'
local plain, usual = require 'plain', require 'usual'
local call, format, match = redis.call, string.format, string.match
local CARRY, HOLDS, GATE = grants.CARRY, accounts.KEY.holds, accounts.GATE
local ACCOUNT, FIRST_RESOLVED, FIRST_HOUR = accounts.KEY.account, accounts.FIRST_RESOLVED, accounts.FIRST_HOUR

-- Settles holds that timed out after their answer had begun, as a settle operation at this time would. Where no balance
-- could pay that amount, settles at the held amount, which always fits.
local function settle_answered(account)
  for _, each in ipairs(account.answered) do
    local id, key = each[1], each[2]
    local packed = call('HGET', account.keys[HOLDS], id)  -- read now, after everything that was due
    account.open[id] = packed
    local standing, charge, used = match(packed, '^(%d+) %d+ %d+:(%d+):(%S+)')
    if not operations.settle(account, id, key, charge, used, true) then
      operations.settle(account, id, key, standing, used, true)
    end
  end
end

-- Operations on the account, not on one hold: code -> {function(account, args, at), number of arguments}.
local OF_ACCOUNT = {
  x = {function(account, args, at) sweep.expire_holds(account, tonumber(args[at + 1])) end, 2},
  g = {give, 7},
  c = {function(account, args, at)
    configure(account, args[at + 1] == '1', tonumber(args[at + 2]), args[at + 3], args[at + 4], args[at + 5],
              args[at + 6])
  end, 7},
  t = {function(account, args, at) top_ups.request(account, args[at + 1], tonumber(args[at + 2])) end, 3},
  l = {function(account, args, at) top_ups.lease(account, args[at + 1], tonumber(args[at + 2])) end, 3},
  p = {function(account, args, at) top_ups.resolve(account, args[at + 1], args[at + 2], tonumber(args[at + 3])) end, 4},
  b = {function(account, args, at)
    top_ups.take_back(account, args[at + 1], args[at + 2], tonumber(args[at + 3]))
  end, 4},
}

-- Operations on one hold: code -> {function(account, id, key, at, code), number of arguments}.
local OF_HOLD = {
  s = {function(account, id, key, at)
    operations.settle(account, id, key, account.args[at + 2], account.args[at + 3])
  end, 4},
  v = {operations.void, 2},
  d = {operations.release, 3},
}
for digit = 0, 3 do
  OF_HOLD['r' .. digit] = {operations.reserve, 5}
  OF_HOLD['e' .. digit] = {operations.extend, 6}
end

-- The consequences of an operation: carrying totals, a top-up, alerts.
local function watch(account, code)
  if account.settled >= CARRY then plans.carry(account) end
  if code == 'c' then return end
  if account.threshold >= 0 and account.available + account.held < account.threshold and not account.suspended then
    top_ups.watch_threshold(account)
  end
  if (account.alert_at >= 0 and account.settled >= account.alert_at) or account.plan_changed then
    plans.watch_alerts(account)
  end
end

-- Whether ids and operations may be those of a usual call: a settlement has four arguments, a reservation five.
local function is_usual(ids, size)
  return ids == '1' and (size == 5 or size == 6) or ids == '2' and size == 11
end

local function save(account)
  accounts.write_entries(account)
  holds.save(account)
  usage.save(account)
  if account.members then
    forget_counters(account, tonumber(match(account.args[3], '^%d+')))
    counters.save(account)
  end
  if account.plan_changed then plans.save(account) end
  accounts.write_events(account)
  accounts.write(account)
end

return function(keys, args)
  local now, hour = accounts.read_time()
  if hour ~= tonumber(args[1]) then return format('again %d', now) end  -- the usage key is for another hour
  local row = accounts.read_row(keys[ACCOUNT])
  local hour_text, answer = args[1], nil
  if #keys == FIRST_RESOLVED and args[FIRST_HOUR] == hour_text and is_usual(args[2], #args - FIRST_HOUR) then
    answer = usual(keys, 1, keys[FIRST_RESOLVED], args, FIRST_HOUR + 1, #args, hour_text, now, row)
  end
  answer = answer or plain(keys, args, now, hour, row)
  if answer then return answer end
  local refusal = schema.refuses(row[1])  -- checked before any other field of the row is used
  if refusal then return refusal end
  local account = accounts.make(keys, args, now, hour, row)
  schema.read(account)
  account.first_operation = account.first_id + args[2]
  local is_due = account.next_due > 0 and account.next_due <= account.now
  local due = is_due and sweep.find_due(account)
  if due and due.missing then return 'again ' .. account.now_text .. ' ' .. table.concat(due.missing, ' ') end
  if schema.is_old(account) then
    schema.migrate(account)
    due = is_due and sweep.find_due(account)  -- migration may have rewritten holds
  end
  if due then
    sweep.give_back(account, due)
    if account.plan_due > 0 and account.plan_due <= account.now then cycles.advance(account) end
  end
  holds.read(account)
  if account.answered then settle_answered(account) end

  -- The i-th operation on a hold belongs to the i-th id.
  local at, next_id = account.first_operation, account.first_id
  while args[at] do
    local code = args[at]
    local operation = OF_HOLD[code]
    if operation then
      operation[1](account, args[next_id], tonumber(args[at + 1]), at, code)
      next_id = next_id + 1
    else
      operation = OF_ACCOUNT[code]
      operation[1](account, args, at)
    end
    at = at + operation[2]
    account.swept = 0
    if account.row[GATE] or account.plan_changed or account.settled >= CARRY then watch(account, code) end
  end
  save(account)
  local out = account.out
  if account.top_up_due then out[#out + 1] = 'T' end
  if account.events then out[#out + 1] = 'E' end
  return table.concat(out, ' ')
end
