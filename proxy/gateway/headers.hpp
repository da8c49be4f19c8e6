// Which fields pass, which are dropped, which are added, on the way up and on the way down
// (RFC 9110 section 7.6, RFC 7239, W3C Trace Context).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/settings.hpp"
#include "proxy/gateway/account_fields.hpp"
#include "proxy/gateway/identification.hpp"
#include "proxy/net/http/message.hpp"
#include "quota/ids.hpp"
#include "routes/classify.hpp"

namespace tollgate::proxy {

// What the connection's own fields said, before they were taken out of the head.
struct hop_by_hop {
  bool websocket = false;         // Upgrade: websocket, and Connection: upgrade
  bool accepts_trailers = false;  // TE: trailers
  bool expects_continue = false;  // Expect: 100-continue
  bool unknown_expectation = false;
};

// Removes every field that concerns one connection only, those that Connection names included. It
// is done before classification: the classifier sees what the upstream will see. Content-Length and
// Transfer-Encoding stay, because they say that a body follows; when a head is written, they are
// written anew.
hop_by_hop strip_hop_by_hop(message_head& head);

// The client's X-Request-Id where it is fit to be passed on, else a new one.
std::string choose_request_id(const message_head& head, quota::id_source& ids);

struct body_shape {
  framing how = framing::none;
  std::uint64_t length = 0;  // for framing::length
};

struct request_facts {
  const config::upstream_settings* upstream = nullptr;
  std::string_view authority{};  // the upstream's, for Host
  const routes::clean_target* target = nullptr;
  std::string_view request_id{}, peer{};
  identified_caller caller{};
  std::int64_t unix_seconds = 0;  // now
  bool secure = false;
  bool websocket = false;
  std::string_view content_type{};  // of a body that decides its price, as it was read; else empty
  bool metered = false;  // the answer is to be read on its way: asks for all of it, in no coding
  body_shape body{};
};
void write_request_head(std::string& out, const message_head& head, const request_facts& facts,
                        quota::id_source& ids);

struct response_facts {
  const config::upstream_settings* upstream = nullptr;  // null: nothing in it is the upstream's own
  std::string_view request_id{};
  account_facts account{};
  bool charge_in_trailer = false;  // X-Credits-Charged follows the body
  body_shape body{};
  bool websocket = false;
  bool close = false;  // the connection ends with this response
  bool client_is_1_0 = false;
};
void write_response_head(std::string& out, const message_head& head, const response_facts& facts);

}  // namespace tollgate::proxy
