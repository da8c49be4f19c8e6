-- wrk: the same small chat completion over and over, and one line of JSON at the end. The organizations take turns,
-- so that calls that are under way at the same time belong to as many of them as there can be.
local keys, next_key = {}, 0
for key in io.lines(os.getenv("BENCH_KEYS")) do keys[#keys + 1] = key end

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. keys[1]
local accept = os.getenv("BENCH_ACCEPT") or ""
if accept ~= "" then wrk.headers["Accept"] = accept end
wrk.body = '{"model":"gpt-4","messages":[{"role":"system","content":"You are a helpful assistant."},' ..
           '{"role":"user","content":"What is the capital of France?"}],"temperature":0.7}'

-- With one organization, wrk sends a request that it has made once.
if #keys > 1 then
  local requests = {}
  function request()
    next_key = next_key % #keys + 1
    local made = requests[next_key]
    if not made then
      wrk.headers["Authorization"] = "Bearer " .. keys[next_key]
      made = wrk.format()
      requests[next_key] = made
    end
    return made
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests":%d,"seconds":%.6f,"p50_ms":%.3f,"p99_ms":%.3f,"failed":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
