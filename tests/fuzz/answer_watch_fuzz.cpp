// An answer in any pieces, and with any line ends, is judged alike.
#include "routes/answer_watch.hpp"
#include "tests/fuzz/input.hpp"

using namespace tollgate::routes;
using namespace tollgate::fuzz;
using tollgate::quota::stream_end;

namespace {

stream_end judged(const answer_head& head, std::string_view body, stream_end how,
                  std::size_t piece) {
  answer_watch watch{head};
  while (!body.empty()) {
    watch.write(body.substr(0, piece));
    body.remove_prefix(std::min(piece, body.size()));
  }
  return watch.judge(how);
}

}  // namespace

// The first line is the content encoding; what follows, the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  input from{data, size};
  const std::string encoding{from.line()};
  const std::string body{from.rest()};
  const answer_head head{200, "POST", "text/event-stream", encoding};
  for (const auto how :
       {stream_end::accepted, stream_end::upstream_failed, stream_end::client_gone}) {
    const auto whole = judged(head, body, how, body.size() + 1);
    for (const std::size_t piece : {1, 3, 64}) {
      require(judged(head, body, how, piece) == whole, "pieces make no difference");
    }
    if (!encoding.empty() || body.find('\r') != body.npos) continue;
    std::string other;
    for (const char c : body) other += c == '\n' ? "\r\n" : std::string{c};
    require(judged(head, other, how, 7) == whole, "CRLF is as good as LF");
  }
  return 0;
}
