-- The texts in which plan, grants, alerts and top-ups are stored; quota/plan_text.hpp and quota/redis/account_rows.cpp
-- read the same texts.
local format, match, gmatch = string.format, string.match, string.gmatch

local rows = {}

function rows.read_terms(text)
  local a, b, c, d, e, f, g, name = match(text, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (.*)$')
  return {text = text, allocation = tonumber(a), percent = tonumber(b), cycles = tonumber(c), price = tonumber(d),
          minimum = tonumber(e), per_minute = tonumber(f), burst = tonumber(g), name = name}
end

function rows.read_options(text)
  local a, b, c, d, e, fill = match(text, '^(%S+) (%S+) (%S+) (%S+) (%S+) ?(%S*)$')
  return {text = text, overage = a == '1', cap = tonumber(b), overdraft = tonumber(c), threshold = tonumber(d),
          cents = tonumber(e), fill = fill == '1'}
end

function rows.read_grant(line)
  local a, b, c, d, e, kind, id = match(line, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (.*)$')
  return {priority = tonumber(a), expires = tonumber(b), at = tonumber(c), amount = tonumber(d),
          remaining = tonumber(e), kind = kind, id = id}
end
function rows.write_grant(g)
  return format('%d %d %d %d %d ', g.priority, g.expires, g.at, g.amount, g.remaining) .. g.kind .. ' ' .. g.id
end

-- An alert as configured. In the account it is preceded by a field: whether an organization's alert is armed; since
-- when an alert of an agent, conversation or key counts.
function rows.read_alert(text, first)
  local kind, level, scope, id = match(text, '^(%d) (%d+) ?(%d?) ?(.*)$')
  local alert = {text = text, first = first, kind = tonumber(kind), level = tonumber(level)}
  if scope ~= '' then alert.scope, alert.id = scope, id else alert.armed = first == '1' end
  return alert
end
local function write_alert(alert)
  return (alert.scope and alert.first or alert.armed and '1' or '0') .. ' ' .. alert.text
end

-- The plan, from the fields of the account; false before the first `configure`.
function rows.read_plan(stored)
  if not stored.plan then return false end
  -- Early releases wrote no times after `told`.
  local a, b, c, d, e, f, g, times = match(stored.plan, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) ?(.*)$')
  local usual, began = match(times, '^(%S+) (%S+)$')
  local next_terms = stored.next_terms
  local plan = {usual_stop = tonumber(usual or d), began = tonumber(began or 0), owed = tonumber(f),
                told_exhausted = g == '1' or g == '3', told_cap = g == '2' or g == '3', alerts = {},
                anchor = tonumber(a), cycle = tonumber(b), start = tonumber(c), stop = tonumber(d),
                peak = tonumber(e), terms = rows.read_terms(stored.terms),
                next_terms = next_terms and next_terms ~= '' and rows.read_terms(next_terms) or false,
                options = rows.read_options(stored.options), limits = stored.limits or ''}
  for first, text in gmatch(stored.alerts or '', '(%d+) ([^\n]+)') do
    plan.alerts[#plan.alerts + 1] = rows.read_alert(text, first)
  end
  return plan
end
function rows.write_plan(plan, told)
  return format('%d %d %d %d %d %d %d %d %d', plan.anchor, plan.cycle, plan.start, plan.stop, plan.peak, plan.owed,
                told, plan.usual_stop, plan.began)
end
function rows.write_alerts(plan)
  local alerts = {}
  for i, alert in ipairs(plan.alerts) do alerts[i] = write_alert(alert) end
  return table.concat(alerts, '\n')
end

-- Grants in burn-down order, one line each.
function rows.read_active(text)
  local active = {}
  for line in gmatch(text or '', '[^\n]+') do active[#active + 1] = rows.read_grant(line) end
  return active
end
function rows.write_active(active)
  local lines = {}
  for i, g in ipairs(active) do lines[i] = rows.write_grant(g) end
  return table.concat(lines, '\n')
end

-- Credits kept for holds that outlived their own: lines "= STOP CLAIMS CYCLE", each followed by its grants.
function rows.read_batches(text)
  local batches = {}
  for line in gmatch(text or '', '[^\n]+') do
    local a, b, c = match(line, '^= (%S+) (%S+) (%S+)$')
    if a then
      batches[#batches + 1] = {stop = tonumber(a), claims = tonumber(b), cycle = tonumber(c), grants = {}}
    else
      local grants = batches[#batches].grants
      grants[#grants + 1] = rows.read_grant(line)
    end
  end
  return batches
end
function rows.write_batches(batches)
  local lines = {}
  for _, batch in ipairs(batches) do
    lines[#lines + 1] = format('= %d %d %d', batch.stop, batch.claims, batch.cycle)
    for _, g in ipairs(batch.grants) do lines[#lines + 1] = rows.write_grant(g) end
  end
  return table.concat(lines, '\n')
end

local TOP_UP_FIELDS = {'status', 'cents', 'amount', 'requested', 'next', 'attempts', 'resolved', 'cycle',
                       'generation', 'refunded', 'disputed'}
function rows.read_top_up(id, text)
  local kind, rest = match(text, '^(%a) (.*)$')
  local top_up = {id = id, automatic = kind == 'a', generation = 0, refunded = 0, disputed = 0}
  local i = 0
  for number in gmatch(rest, '%S+') do
    i = i + 1
    top_up[TOP_UP_FIELDS[i]] = tonumber(number)
  end
  return top_up
end
function rows.write_top_up(t)
  local text = (t.automatic and 'a' or 'm') ..
               format(' %d %d %d %d %d %d %d %d', t.status, t.cents, t.amount, t.requested, t.next, t.attempts,
                      t.resolved, t.cycle)
  -- Early releases cannot read these fields: they are written only if they have a value.
  if t.generation + t.refunded + t.disputed == 0 then return text end
  return text .. format(' %d %d %d', t.generation, t.refunded, t.disputed)
end

return rows
