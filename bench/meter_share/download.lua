-- wrk: repeats one download, and prints one line of JSON at the end.
wrk.headers["Authorization"] = "Bearer " .. os.getenv("BENCH_KEY")

function done(summary)
  local errors = summary.errors
  io.write(string.format('\nRESULT {"bytes":%d,"failed":%d}\n', summary.bytes,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
