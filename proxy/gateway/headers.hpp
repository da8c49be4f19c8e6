// Which fields are passed, dropped or added, in requests and responses (RFC 9110 section 7.6, RFC
// 7239, W3C Trace Context).
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

// The contents of the connection's own fields, before they were removed from the head.
struct hop_by_hop {
  bool websocket = false;         // Upgrade: websocket, and Connection: upgrade
  bool accepts_trailers = false;  // TE: trailers
  bool expects_continue = false;  // Expect: 100-continue
  bool unknown_expectation = false;
};

// Removes every field that concerns only one connection, including those named by Connection. This
// happens before classification: the classifier sees what the upstream will see. Content-Length and
// Transfer-Encoding stay, because they announce a body; when a head is written, they are replaced.
hop_by_hop strip_hop_by_hop(message_head& head);

// The client's X-Request-Id if it is fit to be passed on, otherwise a new one.
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
  std::string_view content_type{};  // as read, of a body that decides its price; otherwise empty
  bool metered = false;             // the answer will be read: ask for all of it, without a coding
  body_shape body{};
  const std::vector<std::string>* key_headers = nullptr;  // further headers that carry keys
};
void write_request_head(std::string& out, const message_head& head, const request_facts& facts,
                        quota::id_source& ids);

struct response_facts {
  const config::upstream_settings* upstream = nullptr;  // null: the answer is not the upstream's
  std::string_view request_id{};
  account_facts account{};
  bool charge_in_trailer = false;  // X-Credits-Charged comes after the body
  body_shape body{};
  bool websocket = false;
  bool close = false;  // the connection ends with this response
  bool client_is_1_0 = false;
  std::string_view cors{};  // complete lines; they replace the upstream's fields of this kind
};
void write_response_head(std::string& out, const message_head& head, const response_facts& facts);

}  // namespace tollgate::proxy
