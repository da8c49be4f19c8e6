-- wrk: chat completions of many customers and agents at a steady rate, and one line of JSON at the
-- end. Each request takes the next slot of the thread's schedule; a connection waits for the time
-- of its slot.
local ffi = require("ffi")
ffi.cdef[[
  typedef struct { long seconds, nanoseconds; } freshness_time;
  int clock_gettime(int clock, freshness_time *time);
]]
local time = ffi.new("freshness_time")
local function now_ms()
  ffi.C.clock_gettime(1, time)  -- CLOCK_MONOTONIC
  return tonumber(time.seconds) * 1e3 + tonumber(time.nanoseconds) / 1e6
end

local rate = tonumber(os.getenv("FRESHNESS_RATE"))
local keys, requests, place, began = {}, {}, 0, nil
for key in os.getenv("FRESHNESS_KEYS"):gmatch("%S+") do keys[#keys + 1] = key end

function init()
  for agent = 1, 25 do
    for _, key in ipairs(keys) do
      requests[#requests + 1] = wrk.format("POST", "/v1/chat/completions", {
        ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. key,
        ["X-Agent-Id"] = "agent-" .. agent, ["X-Conversation-Id"] = "conversation-" .. agent % 5,
      }, '{"model":"gpt-4","messages":[{"role":"user","content":"What is the capital of France?"}]}')
    end
  end
end

local next_request = 0
function request()
  next_request = next_request % #requests + 1
  return requests[next_request]
end

function delay()
  local now = now_ms()
  began = began or now
  place = place + 1
  return math.max(0, math.floor(began + place * 1000 / rate - now + 0.5))
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests":%d,"seconds":%.6f,"p50_ms":%.3f,"p99_ms":%.3f,"failed":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
