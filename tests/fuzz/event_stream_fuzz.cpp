// Server-sent events in any pieces, and with any line ends, are read alike.
#include <memory>

#include "routes/readers/event_stream.hpp"
#include "tests/fuzz/reader_outcome.hpp"

using namespace tollgate::routes;
using namespace tollgate::routes::readers;
using namespace tollgate::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string body{reinterpret_cast<const char*>(data), size};
  static const event_stream_settings settings{"d",
                                              std::get<json_pointer>(json_pointer::parse("/a"))};
  const auto make = [](sink& to) { return std::make_unique<event_stream>(settings, to); };
  const auto read = read_body(make, body);
  if (body.find('\r') != body.npos) return 0;
  std::string other;
  for (const char c : body) other += c == '\n' ? "\r\n" : std::string{c};
  require(read_body(make, other) == read, "CRLF is as good as LF");
  return 0;
}
