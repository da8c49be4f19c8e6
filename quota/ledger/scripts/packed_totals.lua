-- Totals that nobody has used for a long time.
--
-- A limit in `total` has no end, so its counters must not be lost: waiting must not reset a limit. They are packed into
-- pages, at 18 bytes each instead of about 115, and unpacked when their callers return. The pages of a limit are the
-- buckets of a linear hash table, in fields of the counters' own hash: `n` and the limit, "SINCE PAGES COUNT"; `p`, the
-- limit and the number of the page, "SINCE" and a blank, then for each caller ten bytes of a digest and eight of the
-- amount. Every 32 callers add one page, which takes over part of another page, so no step takes longer as their number
-- grows.
local accounts = require 'accounts'
local call, sha1hex = redis.call, redis.sha1hex
local format, match, find, sub, byte = string.format, string.match, string.find, string.sub, string.byte
local pack, unpack_bytes = struct.pack, struct.unpack
local COUNTERS = accounts.KEY.counters
local RECORD, DIGEST, PER_PAGE = 18, 10, 32

local packed = {}

-- The tables and pages that this call has read.
local function open(account)
  local all = account.packed_totals
  if not all then
    all = {tables = {}, pages = {}}
    account.packed_totals = all
  end
  return all
end

local function table_of(account, limit)
  local tables = open(account).tables
  local found = tables[limit.field]
  if not found then
    local text = call('HGET', account.keys[COUNTERS], 'n' .. limit.field) or ''
    local since, count_of_pages, count = match(text, '^(%d+) (%d+) (%d+)$')
    found = {limit = limit, pages = 1, count = 0}
    if since and tonumber(since) == limit.since then
      found.pages, found.count = tonumber(count_of_pages), tonumber(count)
    end
    tables[limit.field] = found
  end
  return found
end

local function page_of(account, into, number)
  local pages = open(account).pages
  local field = 'p' .. into.limit.field .. format('%d', number)
  local page = pages[field]
  if not page then
    local since, records = match(call('HGET', account.keys[COUNTERS], field) or '', '^(%d+) (.*)$')
    page = {since = into.limit.since, records = ''}
    if since and tonumber(since) == page.since then page.records = records end
    pages[field] = page
  end
  return page
end

-- The position in a page at which the record of a digest begins.
local function place_of(page, digest)
  local at = find(page.records, digest, 1, true)
  while at and at % RECORD ~= 1 do at = find(page.records, digest, at + 1, true) end
  return at
end
local function amount_at(page, at) return (unpack_bytes('>d', sub(page.records, at + DIGEST, at + RECORD - 1))) end

-- The largest power of two that does not exceed the number of pages.
local function level_of(into)
  local level = 1
  while 2 * level <= into.pages do level = 2 * level end
  return level
end
local function number_of(into, digest)
  local a, b, c, d = byte(digest, 1, 4)
  local hash, level = ((a * 256 + b) * 256 + c) * 256 + d, level_of(into)
  local number = hash % (2 * level)
  return number < into.pages and number or number - level
end
local function digest_of(field)
  local hex = sha1hex(field)
  return pack('>I4I4I2', tonumber(sub(hex, 1, 8), 16), tonumber(sub(hex, 9, 16), 16), tonumber(sub(hex, 17, 20), 16))
end

local function split(account, into)
  local from, number = page_of(account, into, into.pages - level_of(into)), into.pages
  local to, staying, going = page_of(account, into, number), {}, {}
  into.pages = number + 1
  for at = 1, #from.records, RECORD do
    local record = sub(from.records, at, at + RECORD - 1)
    local where = number_of(into, record) == number and going or staying
    where[#where + 1] = record
  end
  from.records, to.records = table.concat(staying), table.concat(going)
  from.changed, to.changed = true, true
end

-- The packed amount of this caller, and its position; nil: there is none.
function packed.find(account, limit, field)
  local into = table_of(account, limit)
  if into.count == 0 then return nil end
  local digest = digest_of(field)
  local page = page_of(account, into, number_of(into, digest))
  local at = place_of(page, digest)
  if at then return amount_at(page, at), {into = into, digest = digest} end
end

function packed.take(account, place)
  local into = place.into
  local page = page_of(account, into, number_of(into, place.digest))
  local at = place_of(page, place.digest)
  page.records = sub(page.records, 1, at - 1) .. sub(page.records, at + RECORD)
  page.changed = true
  into.count, into.changed = into.count - 1, true
end

function packed.add(account, limit, field, amount)
  local into, digest = table_of(account, limit), digest_of(field)
  local page = page_of(account, into, number_of(into, digest))
  page.records, page.changed = page.records .. digest .. pack('>d', amount), true
  into.count, into.changed = into.count + 1, true
  if into.count > PER_PAGE * into.pages then split(account, into) end
end

-- Whether the limit of a table or a page is gone, or was reset.
function packed.is_over(field, text, limit_by_field)
  local limit = limit_by_field[match(field, '^.(%d[^\t]*\t[^\t]*\t)')]
  return not limit or tonumber(match(text, '^%d+')) ~= limit.since
end

function packed.save(account)
  local all, key = account.packed_totals, account.keys[COUNTERS]
  if not all then return end
  for field, page in pairs(all.pages) do
    if page.changed then call('HSET', key, field, format('%d ', page.since) .. page.records) end
  end
  for field, into in pairs(all.tables) do
    if into.changed then
      call('HSET', key, 'n' .. field, format('%d %d %d', into.limit.since, into.pages, into.count))
    end
  end
end

return packed
