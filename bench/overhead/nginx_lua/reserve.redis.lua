-- KEYS: account, holds (by expiry), ledger, usage. ARGV: hold id, price, timeout in ms, model, action.
local account, holds, ledger = KEYS[1], KEYS[2], KEYS[3]
local id, price, timeout, model, action = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5]
local hold = account .. ":hold:" .. id
if redis.call('EXISTS', hold) == 1 then return { 'exists', 0 } end
local row = redis.call('HMGET', account, 'granted', 'settled', 'held')
local available = (tonumber(row[1]) or 0) - (tonumber(row[2]) or 0) - (tonumber(row[3]) or 0)
if available < price then return { 'insufficient', available } end
local time = redis.call('TIME')
local expires = time[1] * 1000 + math.floor(time[2] / 1000) + timeout
redis.call('HSET', hold, 'price', price, 'expires', expires, 'model', model, 'action', action)
redis.call('ZADD', holds, expires, id)
redis.call('HINCRBY', account, 'held', price)
redis.call('XADD', ledger, '*', 'type', 'reserve', 'hold', id, 'micro', price,
           'available', available - price)
return { 'held', available - price }
