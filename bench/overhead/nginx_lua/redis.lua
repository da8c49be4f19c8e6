-- A Redis client with one command: EVALSHA over a pooled cosocket. It loads the script if Redis
-- does not have it yet.
local tcp, concat = ngx.socket.tcp, table.concat
local tonumber = tonumber
local address = "unix:" .. (os.getenv("REDIS_SOCKET") or "/run/redis/redis.sock")

local client = {}

local function bulk(text)
  text = tostring(text)
  return "$" .. #text .. "\r\n" .. text .. "\r\n"
end

local function encode(command, script, keys, arguments)
  local parts = { "*" .. 3 + #keys + #arguments .. "\r\n", bulk(command), bulk(script), bulk(#keys) }
  for i = 1, #keys do parts[#parts + 1] = bulk(keys[i]) end
  for i = 1, #arguments do parts[#parts + 1] = bulk(arguments[i]) end
  return concat(parts)
end

-- One reply: a number, a string, a table of them, or nil and an error.
local function read_reply(socket)
  local line, err = socket:receive()
  if not line then return nil, err end
  local kind, rest = line:sub(1, 1), line:sub(2)
  if kind == ":" then return tonumber(rest) end
  if kind == "+" then return rest end
  if kind == "-" then return nil, rest end
  local size = tonumber(rest)
  if size < 0 then return false end
  if kind == "$" then
    local text, failed = socket:receive(size + 2)
    return text and text:sub(1, -3), failed
  end
  local replies = {}
  for i = 1, size do replies[i] = read_reply(socket) end
  return replies
end

local function call(socket, request)
  local sent, err = socket:send(request)
  if not sent then return nil, err end
  return read_reply(socket)
end

-- `script` is {text, sha}.
function client.run(script, keys, arguments)
  local socket = tcp()
  socket:settimeouts(1000, 1000, 1000)
  local connected, err = socket:connect(address)
  if not connected then return nil, err end
  local reply, failed = call(socket, encode("EVALSHA", script.sha, keys, arguments))
  if failed and failed:sub(1, 8) == "NOSCRIPT" then
    reply, failed = call(socket, encode("EVAL", script.text, keys, arguments))
  end
  socket:setkeepalive(60000, 512)
  return reply, failed
end

return client
