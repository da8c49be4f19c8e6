-- The webhook endpoints of one organization: one verb per call, in one atomic step. The verbs are those of
-- quota/webhook_store.hpp; quota/README.md lists the fields of an endpoint.
--
-- KEYS    webhooks, events, dead_letters of the endpoint
-- ARGV    verb, endpoint, the verb's arguments
-- Answer  outcome (webhook_outcome), now, fields of webhooks or nothing, the last event, forgotten
local call, format = redis.call, string.format

local DONE, MORE, NOT_FOUND, FULL, LOST, EXISTS = 0, 1, 2, 3, 4, 5
local LONG_BREAK_MS = 3600 * 1000  -- without an attempt after one was due: no sidecar could try

local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local verb, id = ARGV[1], ARGV[2]

local function after(ms) return format('%d', now + ms) end
local function get(field) return call('HGET', KEYS[1], id .. ' ' .. field) end
local function set(...)  -- alternating fields and values
  local list = {...}
  for i = 1, #list, 2 do list[i] = id .. ' ' .. list[i] end
  call('HSET', KEYS[1], unpack(list))
end

local function last_event()
  local last = call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
  return last[1] and last[1][1] or '0-0'
end
local function answer(outcome, fields, forgotten)
  return {outcome, after(0), fields or {}, last_event(), forgotten and 1 or 0}
end

local function count_endpoints()
  local count = 0
  for _, field in ipairs(call('HKEYS', KEYS[1])) do
    if field:sub(-4) == ' url' then count = count + 1 end
  end
  return count
end

-- Whether events after a cursor have been trimmed from the stream. A cursor of "0-0" waits for the very first event.
local FIRST_THERE_IS = '0-1'  -- a cursor whose gap has been reported
local function forgotten(cursor)
  if cursor == FIRST_THERE_IS then return false end
  if cursor ~= '0-0' then return #call('XRANGE', KEYS[2], cursor, cursor) == 0 end
  if call('EXISTS', KEYS[2]) == 0 then return false end
  local flat, info = call('XINFO', 'STREAM', KEYS[2]), {}
  for i = 1, #flat, 2 do info[flat[i]] = flat[i + 1] end
  return info['entries-added'] > info.length
end

-- --- configuration ---
local keep = {}

function keep.read() return answer(DONE, call('HGETALL', KEYS[1])) end

-- MOST SECRET URL EVENTS DESCRIPTION DISABLED
function keep.add(most, secret, url, events, description, disabled)
  if get('url') then return answer(EXISTS) end
  if count_endpoints() >= tonumber(most) then return answer(FULL) end
  set('url', url, 'events', events, 'description', description, 'created', after(0), 'secrets',
      '0 ' .. after(0) .. ' ' .. secret, 'disabled', disabled, 'since', after(0), 'cursor', last_event(),
      'token', '', 'leased_until', 0, 'next_at', 0, 'attempts', 0, 'last_at', 0, 'last_status', 0, 'last_error', '')
  return answer(DONE)
end

-- FIELD VALUE ...
-- An attempt in progress used the previous values. Its answer must not undo this change, so its lease becomes void. An
-- endpoint that is enabled, or whose URL changes, starts its whole schedule anew.
function keep.change(...)
  if not get('url') then return answer(NOT_FOUND) end
  local new, was_disabled = {}, get('disabled') ~= ''
  local list = {...}
  for i = 1, #list, 2 do new[list[i]] = list[i + 1] end
  if new.url or (was_disabled and new.disabled == '') then set('since', after(0)) end
  set('next_at', after(0), 'token', '', 'leased_until', 0, ...)
  return answer(DONE)
end

function keep.retry()
  if not get('url') then return answer(NOT_FOUND) end
  set('next_at', after(0))
  return answer(DONE)
end

function keep.remove()
  if not get('url') then return answer(NOT_FOUND) end
  for _, field in ipairs(call('HKEYS', KEYS[1])) do
    if field:sub(1, #id + 1) == id .. ' ' then call('HDEL', KEYS[1], field) end
  end
  call('DEL', KEYS[3])
  return answer(DONE)
end

-- MOST SECRET KEY OVERLAP_MS. A secret is a line "UNTIL_MS SINCE_MS TEXT KEY", the newest first; UNTIL_MS 0: in force.
-- The very first secret has no key.
function keep.rotate(most, secret, key, overlap)
  local secrets = get('secrets')
  if not secrets then return answer(NOT_FOUND) end
  local lines = {format('0 %d %s %s', now, secret, key)}
  for ends, since, text, made_by in secrets:gmatch('(%d+) (%d+) ([^ \n]+) ?([^\n]*)') do
    if ends == '0' then ends = after(overlap) end
    if tonumber(ends) > now then
      if made_by == key then return answer(EXISTS) end
      lines[#lines + 1] = format('%s %s %s %s', ends, since, text, made_by)
    end
  end
  if #lines > tonumber(most) then return answer(FULL) end
  set('secrets', table.concat(lines, '\n'))
  return answer(DONE)
end

-- Only the newest secret stays. An attempt in progress is signed with an ended secret and does not count.
function keep.finish_rotation()
  local secrets = get('secrets')
  if not secrets then return answer(NOT_FOUND) end
  local newest = secrets:match('^[^\n]+')
  if newest == secrets then return answer(DONE) end
  set('secrets', newest, 'token', '', 'leased_until', 0, 'next_at', after(0))
  return answer(DONE)
end

-- TOKEN DURATION_MS
function keep.lease(token, duration)
  if not get('url') then return answer(NOT_FOUND) end
  local taken = get('token') ~= token and tonumber(get('leased_until')) > now
  if taken or get('disabled') ~= '' or tonumber(get('next_at')) > now then return answer(LOST) end
  local due = math.max(get('next_at'), get('last_at'), get('since') or 0)
  if now - due > LONG_BREAK_MS then set('since', after(0)) end
  set('token', token, 'leased_until', after(duration))
  local gap = forgotten(get('cursor'))  -- reported once: it continues with the first event there is
  if gap then set('cursor', FIRST_THERE_IS, 'attempts', 0) end
  return answer(DONE, call('HGETALL', KEYS[1]), gap)
end

-- --- the result of an event: for the holder of the lease ---
local step = {}

local function give_back() set('token', '', 'leased_until', 0) end
local function write_down(status, why)
  set('last_at', after(0), 'last_status', status, 'last_error', why)
end
-- Every event renews the lease. If the endpoint was disabled meanwhile, the lease is lost.
local function move_on(event, duration)
  set('cursor', event, 'attempts', 0, 'next_at', 0, 'leased_until', after(duration))
  return answer(get('disabled') == '' and DONE or LOST)
end

function step.skipped(duration, event) return move_on(event, duration) end

function step.delivered(duration, event, status)
  write_down(status, '')
  return move_on(event, duration)
end

-- An event is stored as a dead letter once: a second time, its id is not greater than the last one's.
function step.died(duration, event, status, why, most, body)
  local attempts, full = get('attempts') + 1, call('XLEN', KEYS[3]) >= tonumber(most)
  redis.pcall('XADD', KEYS[3], 'MAXLEN', most, event, 'at', after(0), 'attempts', attempts, 'status',
              status, 'error', why, 'body', body)
  write_down(status, why)
  local moved = move_on(event, duration)
  if full and moved[1] == DONE then moved[1] = FULL end
  return moved
end

function step.failed(_, status, why, next_at)
  write_down(status, why)
  set('attempts', get('attempts') + 1, 'next_at', next_at)
  give_back()
  return answer(DONE)
end

function step.gone(_, status, why, disabled)
  write_down(status, why)
  set('disabled', disabled)
  give_back()
  return answer(DONE)
end

function step.release()
  local more = #call('XRANGE', KEYS[2], '(' .. get('cursor'), '+', 'COUNT', 1) > 0
  give_back()
  return answer(more and get('disabled') == '' and MORE or DONE)
end

if keep[verb] then return keep[verb](unpack(ARGV, 3)) end
if get('token') ~= ARGV[3] then return answer(LOST) end
return step[verb](unpack(ARGV, 4))
