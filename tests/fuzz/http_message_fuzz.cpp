// However a message is cut into pieces, it is read alike; and what is sent upstream of it is read
// by the same rules as one request with the same body.
#include "proxy/gateway/headers.hpp"
#include "proxy/net/http/head_guard.hpp"
#include "proxy/net/relay.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/support/append.hpp"

using namespace tollgate::proxy;
using tollgate::fuzz::require;
using tollgate::tests::append;

namespace {

struct reading {
  bool head = false, done = false, failed = false;
  std::string body, rest;
  header_list trailers;
  bool operator==(const reading&) const = default;
};

// Each byte of `cuts` is the length of a piece; the last piece is what is left.
template <bool is_request>
reading read(message_reader<is_request>& reader, std::string_view message, std::string_view cuts) {
  reading result;
  const auto end = find_head_end(message);
  if (end == message.npos) return result;
  const auto head = message.substr(0, end);
  if (is_request ? inspect_request_head(head) : inspect_response_head(head)) return result;
  if (reader.read_head(head)) return result;
  result.head = true;
  message.remove_prefix(end);
  byte_buffer buffer;
  while (!message.empty()) {
    const auto size = cuts.empty() ? message.size() : static_cast<unsigned char>(cuts.front()) + 1u;
    if (!cuts.empty()) cuts.remove_prefix(1);
    const auto piece = message.substr(0, size);
    append(buffer, piece);
    message.remove_prefix(piece.size());
    if (reader.done() || result.failed) continue;
    const auto found = reader.decode(buffer);
    result.body += found.body;
    result.failed = static_cast<bool>(found.error);
    buffer.consume(found.consumed);
  }
  if (!reader.done() && !result.failed) result.failed = static_cast<bool>(reader.decode_end());
  result.done = reader.done() && !result.failed;
  if (result.failed) result.body.clear();  // how much came out before that depends on the pieces
  result.rest = result.failed ? std::string{} : std::string{buffer.view()};
  if (!result.failed) result.trailers = reader.trailers();
  return result;
}

// The request as it goes upstream, its body in one chunk.
std::string forwarded(request_reader& reader, const reading& whole, framing how) {
  const auto length = reader.content_length().value_or(0);
  const auto hops = strip_hop_by_hop(reader.head());
  const tollgate::config::upstream_settings upstream;
  const tollgate::routes::clean_target target{"a", "/", ""};
  tollgate::quota::random_id_source ids{1};
  std::string out;
  write_request_head(out, reader.head(),
                     {.upstream = &upstream,
                      .authority = "upstream",
                      .target = &target,
                      .request_id = "r",
                      .peer = "192.0.2.1",
                      .websocket = hops.websocket,
                      .body = {how, length}},
                     ids);
  chunk_frame frame{how == framing::chunked};
  for (const auto& each : frame.around({}, whole.body, true, whole.trailers)) {
    out.append(static_cast<const char*>(each.data()), each.size());
  }
  return out;
}

template <bool is_request>
void check(std::string_view message, std::string_view cuts) {
  message_reader<is_request> first, second;
  const auto whole = read<is_request>(first, message, {});
  require(read<is_request>(second, message, cuts) == whole, "pieces make no difference");
  if constexpr (is_request) {
    if (!whole.done) return;
    request_reader fresh;
    const auto end = find_head_end(message);
    require(!fresh.read_head(message.substr(0, end)), "a head is read twice alike");
    const auto how = fresh.body_framing();
    const auto again = forwarded(fresh, whole, how);
    request_reader upstream;
    const auto seen = read<true>(upstream, again, {});
    require(seen.head && seen.done, "what goes upstream is one whole request");
    require(seen.rest.empty(), "and nothing else");
    require(seen.body == whole.body, "with the same body");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tollgate::fuzz::input in{data, size};
  const auto cuts = in.line();
  const auto message = in.rest();
  if (message.starts_with("HTTP/")) {
    check<false>(message, cuts);
  } else {
    check<true>(message, cuts);
  }
  return 0;
}
