-- The price of each call, and the two requests to Redis.
local cjson = require "cjson.safe"
local redis = require "redis"

-- A real system would read keys from a shared dictionary that is refreshed from the database.
local orgs = {}
for number = 1, tonumber(os.getenv("ORGANIZATIONS") or 1) do
  orgs["Bearer bench-key-" .. number] = "bench-" .. number
end
local prices = { { "^gpt%-4", 10000000 }, { "^gpt%-3%.5", 2000000 }, { "^claude", 8000000 } }
local hold_timeout_ms = 60000

local metering = {}
local scripts = {}

function metering.load(directory)
  for _, name in ipairs { "reserve", "settle" } do
    local file = assert(io.open(directory .. "/" .. name .. ".redis.lua"))
    local text = file:read("*a")
    file:close()
    scripts[name] = { text = text }
  end
end

local function script(name)
  local found = scripts[name]
  if not found.sha then
    found.sha = (ngx.sha1_bin(found.text):gsub(".", function(c) return ("%02x"):format(c:byte()) end))
  end
  return found
end

local function refuse(status, code, message)
  ngx.status = status
  ngx.header["Content-Type"] = "application/json"
  ngx.say(cjson.encode { error = { code = code, message = message } })
  return ngx.exit(status)
end

local function price_of(model)
  for _, entry in ipairs(prices) do
    if model:find(entry[1]) then return entry[2] end
  end
end

local function keys_of(org)
  local prefix = "bench:{" .. org .. "}:"
  return { prefix .. "account", prefix .. "holds", prefix .. "ledger", prefix .. "usage" }
end

function metering.reserve()
  local org = orgs[ngx.var.http_authorization or ""]
  if not org then return refuse(401, "invalid_api_key", "Unknown API key.") end
  ngx.req.read_body()
  local body = cjson.decode(ngx.req.get_body_data() or "")
  local model = type(body) == "table" and body.model
  local price = type(model) == "string" and price_of(model)
  if not price then return refuse(404, "no_route", "No price for this call.") end

  local id = ngx.var.request_id
  local reply, err = redis.run(script("reserve"), keys_of(org),
                               { id, price, hold_timeout_ms, model, "llm" })
  if not reply then return refuse(503, "ledger_unavailable", err) end
  if reply[1] ~= "held" then return refuse(402, "insufficient_credits", "Out of credits.") end
  ngx.ctx.hold = { org = org, id = id, price = price }
  ngx.header["X-Credits-Charged"] = price / 1000000
  ngx.header["X-Credits-Remaining"] = reply[2] / 1000000
end

local function settle(_, hold, charged)
  local reply, err = redis.run(script("settle"), keys_of(hold.org), { hold.id, charged })
  if not reply then ngx.log(ngx.ERR, "settle ", hold.id, ": ", err) end
end

-- The log phase may not wait for a socket, so a timer does.
function metering.settle_later()
  local hold = ngx.ctx.hold
  if not hold then return end
  local charged = ngx.status < 400 and hold.price or 0
  local ok, err = ngx.timer.at(0, settle, hold, charged)
  if not ok then ngx.log(ngx.ERR, "settle ", hold.id, ": ", err) end
end

return metering
