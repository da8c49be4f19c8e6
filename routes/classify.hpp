// Decides which route a request takes and what it will cost at most. Pure: bytes in, a decision
// out. The proxy and `tollgate explain` run the same code.
//
// The classifier sees what the upstream will see: the target is normalised first (clean_target),
// and the normalised form is forwarded. A request that cannot be read with certainty is refused
// (400).
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "quota/rate_card.hpp"
#include "routes/problem.hpp"
#include "routes/settings.hpp"

namespace tollgate::routes {

class json_pointer;

struct header_view {
  std::string_view name, value;  // value without surrounding blanks
};

// A request head as the upstream will see it. Hop-by-hop headers (and every header that Connection
// names) are already removed; otherwise a caller could send a header that makes its call cheap and
// have it removed. The views must outlive the calls that take it.
struct request_view {
  std::string_view method;
  std::string_view target;  // as received: origin-form, absolute-form, or "*"
  std::span<const header_view> headers;
  bool websocket = false;  // asks to continue as a WebSocket; its Upgrade is removed, too

  // The first header with that name (ASCII case-insensitive); an empty view if there is none.
  std::string_view header(std::string_view name) const;
  std::size_t count(std::string_view name) const;
};

// A target that was read with certainty: percent-encoding normalised (unreserved characters
// decoded, hex in upper case), empty segments and dot segments resolved. An encoded slash stays;
// classify() decides whether the route allows it. Refused: backslashes, NUL and control characters,
// broken percent-encoding, bytes beyond ASCII, dot segments above the root, fragments, CONNECT's
// authority-form.
struct clean_target {
  std::string host;   // lower case, no port; from the absolute-form, else from Host
  std::string path;   // "/v1/chat/completions"
  std::string query;  // raw, without "?"; forwarded unchanged
};
std::variant<clean_target, problem> read_target(const request_view& request);

struct route {
  route_settings settings;
  quota::rate price_at;  // without its `times`, which are in `patterns`
  struct compiled;       // the parsed patterns
  std::shared_ptr<const compiled> patterns;
};

// A route was found, and everything that determines the price is known.
struct classified {
  const route* matched = nullptr;
  std::string model;                // for the ledger; empty if the call has none
  std::string agent, conversation;  // from {agent} and {conversation} in the path; may be empty
  quota::usage estimated;           // exact for per: request and per: query; see estimate.hpp
  std::int64_t times = 1;           // from the members named in the rate's `times`
  std::string content_type;         // of a body that was read, for the upstream; see media_type.hpp
  bool wants_raw_pcm = false;       // the body has `response_format: pcm`, as OpenAI defines it
};

// A candidate route examines JSON members: read the whole body (up to the limit) and classify
// again.
struct needs_body {
  const route* candidate = nullptr;  // the first that needs the body, for messages and the dialect
};

using classification = std::variant<classified, needs_body, problem>;

// A body with this much capacity behind it is read without another copy.
inline constexpr std::size_t room_behind_body = 64;

// What reading a body may take.
struct body_limits {
  std::size_t most_decoded = std::size_t{8} << 20;  // bytes of a compressed body's text
  // Asked before so many bytes more are used, beside the body itself; empty: always true. What is
  // used is free again when classify() returns.
  std::function<bool(std::size_t bytes)> may_use{};
  // Asked from time to time while a compressed body is decoded; empty: always true.
  std::function<bool()> may_go_on{};
};

// The least that a call can cost, by its head alone, whatever its body says. It is at most the
// price of every route that can take the call.
struct least_call {
  const route* cheapest = nullptr;  // null: no route can take it
  quota::usage estimated;
  bool may_be_critical = false, may_be_shadow = false;
};

// Why a route did not match, for `tollgate explain`.
struct mismatch {
  std::string route;
  std::string reason;  // "method is GET, not POST"; "json /model is \"gpt-5\", not gpt-4*"
};

// A configuration error that only the whole table reveals (an unreachable route, a bad pattern).
struct route_error {
  source_position at;
  std::string message;
};

class route_table {
 public:
  // Compiles the routes; `rates` supplies the prices by name. Reports every error: bad patterns,
  // duplicate names, unknown rates (with a suggestion), routes that can never match because an
  // earlier one matches every request they would.
  static std::variant<route_table, std::vector<route_error>> build(
      const std::vector<route_settings>& routes, const std::vector<quota::rate>& rates);

  // Call it with the head alone first; after `needs_body` again with the whole body (`body`
  // non-null), as it came. If `why` is given, it collects the routes that did not match, in order.
  // A compressed body is decoded for this.
  classification classify(const request_view& request, const clean_target& target,
                          const std::string* body = nullptr, std::vector<mismatch>* why = nullptr,
                          const body_limits& limits = {}) const;

  least_call least(const request_view& request, const clean_target& target) const;

  const std::vector<route>& routes() const { return routes_; }

 private:
  classification check_decoded_reading(classification taken, const request_view& request,
                                       const clean_target& target, const std::string* body,
                                       const body_limits& limits) const;

  std::vector<route> routes_;
  std::shared_ptr<const std::vector<json_pointer>> pointers_;  // numbered; see compiled_route.hpp
};

}  // namespace tollgate::routes
