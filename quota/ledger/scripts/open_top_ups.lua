-- The top-ups of an account: reading one, and the list of open ones.
local accounts, rows, grants = require 'accounts', require 'plan_rows', require 'grants'
local call = redis.call
local TOP_UPS = accounts.KEY.top_ups

local STATUS = {REQUESTED = 0, PENDING = 1, PAID = 2, DECLINED = 3, TIMED_OUT = 4}
local STATUS_TEXT = {[0] = 'requested', 'pending', 'paid', 'declined', 'timed_out'}

local top_ups = {STATUS = STATUS}

-- False: there is none.
local function find(account, id)
  local found = account.top_ups[id]
  if found == nil then
    local text = call('HGET', account.keys[TOP_UPS], id)
    found = text and rows.read_top_up(id, text)
    account.top_ups[id] = found
  end
  return found
end
top_ups.find = find

function top_ups.change(account, top_up) account.changed_top_ups[top_up.id] = top_up end

-- The account's list names the open top-ups.
function top_ups.set_status(account, top_up, status)
  local is_open = status == STATUS.REQUESTED or status == STATUS.PENDING or
                  (status == STATUS.TIMED_OUT and top_up.automatic)
  local open = account.open_top_ups
  top_up.status = status
  top_ups.change(account, top_up)
  for i = #open, 1, -1 do
    if open[i] == top_up.id then table.remove(open, i) end
  end
  if is_open then open[#open + 1] = top_up.id end
end

-- Credits that were requested and may be paid at any moment.
local function asked_for(account)
  local sum = 0
  for _, id in ipairs(account.open_top_ups) do sum = sum + find(account, id).amount end
  return sum
end
function top_ups.leave_room_for(account, more)
  return grants.has_room_for(account, more, more > 0 and asked_for(account) or 0)
end

function top_ups.open_automatic(account)
  for _, id in ipairs(account.open_top_ups) do
    local top_up = find(account, id)
    if top_up.automatic then return top_up end
  end
end

function top_ups.emit(account, kind, top_up)
  accounts.emit(account, kind, 'cents', top_up.cents, 'credits', top_up.amount, 'status', STATUS_TEXT[top_up.status],
                'top_up', top_up.id)
end

function top_ups.save(account)
  for id, top_up in pairs(account.changed_top_ups) do
    call('HSET', account.keys[TOP_UPS], id, rows.write_top_up(top_up))
  end
end

return top_ups
