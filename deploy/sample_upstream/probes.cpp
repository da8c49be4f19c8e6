#include <charconv>

#include <boost/crc.hpp>

#include "deploy/sample_upstream/handlers.hpp"
#include "deploy/sample_upstream/json.hpp"

namespace tollgate::sample_upstream {

// The requests that reached the upstream; DELETE resets the counters.
task<> stats(exchange& x) {
  co_await x.digest_body();
  auto& counted = x.counted();
  if (x.method() == "DELETE") {
    counted.requests = counted.aborted = 0;
    counted.by_path.clear();
  }
  std::string body = R"({"requests":)" + std::to_string(counted.requests);
  body.append(R"(,"in_flight":)").append(std::to_string(counted.in_flight - 1));
  body.append(R"(,"aborted":)").append(std::to_string(counted.aborted));
  body += R"(,"by_path":{)";
  for (bool first = true; const auto& [path, requests] : counted.by_path) {
    if (!std::exchange(first, false)) body += ',';
    body.append(json_string(path)).append(":").append(std::to_string(requests));
  }
  co_await x.reply_json(body + "}}");
}

// Echoes the request as it arrived, to show what a proxy adds and removes.
task<> echo(exchange& x) {
  const auto text = co_await x.read_text();
  boost::crc_32_type crc;
  crc.process_bytes(text.data(), text.size());
  std::string body =
      R"({"method":)" + json_string(x.method()) + R"(,"target":)" + json_string(x.target());
  body.append(R"(,"body_bytes":)").append(std::to_string(text.size()));
  body.append(R"(,"body_crc32":)").append(std::to_string(crc.checksum()));
  body += R"(,"headers":[)";
  for (bool first = true; const auto& field : x.request()) {
    if (!std::exchange(first, false)) body += ',';
    const auto name = field.name_string(), value = field.value();
    body.append("[").append(json_string({name.data(), name.size()})).append(",");
    body.append(json_string({value.data(), value.size()})).append("]");
  }
  co_await x.reply_json(body + "]}");
}

task<> sink(exchange& x) {
  const auto body = co_await x.digest_body();
  co_await x.reply_json(R"({"bytes":)" + std::to_string(body.bytes) + R"(,"crc32":)" +
                        std::to_string(body.crc32) + "}");
}

task<> bytes(exchange& x) {
  const auto text = x.path().substr(std::string_view{"/sample/bytes/"}.size());
  std::uint64_t wanted = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), wanted);
  if (ec != std::errc{} || end != text.data() + text.size()) {
    co_await x.reply(400, "text/plain", "Usage: /sample/bytes/NUMBER\n");
  } else {
    co_await x.reply_pattern(wanted);
  }
}

}  // namespace tollgate::sample_upstream
