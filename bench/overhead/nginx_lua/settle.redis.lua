-- KEYS: account, holds (by expiry), ledger, usage. ARGV: hold id, micro-credits charged (0: void).
local account, holds, ledger, usage = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id, charged = ARGV[1], tonumber(ARGV[2])
local hold = account .. ":hold:" .. id
local row = redis.call('HMGET', hold, 'price', 'model', 'action')
if not row[1] then return { 'not_found', 0 } end
redis.call('DEL', hold)
redis.call('ZREM', holds, id)
redis.call('HINCRBY', account, 'held', -tonumber(row[1]))
local settled = redis.call('HINCRBY', account, 'settled', charged)
redis.call('XADD', ledger, '*', 'type', charged > 0 and 'settle' or 'void', 'hold', id,
           'micro', charged, 'model', row[2], 'action', row[3], 'settled', settled)
if charged > 0 then
  local hour = math.floor(redis.call('TIME')[1] / 3600)
  redis.call('HINCRBY', usage, hour .. ':' .. row[2] .. ':' .. row[3], charged)
end
return { 'settled', settled }
