// The state shared by the parts of one exchange. It makes no decisions.
#pragma once

#include <algorithm>
#include <memory>
#include <string>

#include "proxy/gateway/downstream.hpp"
#include "proxy/gateway/exchange/call_times.hpp"
#include "proxy/gateway/exchange/host.hpp"
#include "proxy/gateway/upstream_failure.hpp"
#include "proxy/net/http/message.hpp"
#include "routes/credential.hpp"
#include "routes/problem.hpp"

namespace tollgate::proxy {

using routes::problem;
using routes::problem_code;

struct exchange_context {
  exchange_host& host;
  downstream& client;
  request_reader& request;
  const framing request_framing;
  const std::shared_ptr<runtime> view;  // the configuration with which the exchange began
  const steady_time started;
  std::string request_id{};
  std::string query_key{};  // the key that the query carried, before it was removed
  bool timed_out = false;   // the whole exchange took too long
  // What became of the caller's key, if the call must end for that.
  key_cache::standing access = key_cache::standing::in_force;
  steady_time ends_by{};  // then, what the client has not read by this time is not waited for
  call_times times{started};
  upstream_failure failure{};

  const config::settings& settings() const { return view->settings(); }
  const message_head& head() const { return request.head(); }
  routes::credential_places key_places() const {
    return {settings().identity.key_headers, query_key};
  }
  bool is_head_request() const { return head().method == "HEAD"; }
  // The client has left or lost its access, or the exchange has used up its time.
  bool abandoned() const { return timed_out || client.gone() || lost_access(); }
  bool lost_access() const { return access != key_cache::standing::in_force; }
  // How long a write to the client may take.
  std::chrono::milliseconds write_patience() const {
    using std::chrono::milliseconds;
    if (!lost_access()) return settings().timeouts.client_write;
    const auto left = ends_by - host.deadlines().now();
    return std::max(std::chrono::duration_cast<milliseconds>(left), milliseconds{1});
  }
};

inline std::int64_t us_between(steady_time from, steady_time to) {
  return std::chrono::duration_cast<std::chrono::microseconds>(to - from).count();
}

}  // namespace tollgate::proxy
