// What is known of a call before it is forwarded: opened -> identified -> priced. Pure values; each
// stage needs those before it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/gateway/headers.hpp"
#include "proxy/gateway/runtime.hpp"
#include "quota/directory.hpp"
#include "quota/task.hpp"
#include "routes/classify.hpp"

namespace tollgate::proxy {

using routes::problem;

// What the head says.
struct opened {
  routes::clean_target target;
};
result<opened, problem> open_call(const message_head& head);
// Whether such a call may go any further.
result<void, problem> check_opened(const message_head& head, const hop_by_hop& hops,
                                   std::uint64_t announced_bytes, std::uint64_t most_bytes);

// Who pays, and whom it is tracked by. The views are of the request's head.
struct identified {
  quota::org_id org;
  std::string key_id;
  std::string_view agent, conversation;        // as the headers say
  bool shadow = false;                         // the organization is only being watched
  std::optional<quota::credits> allocation{};  // of the plan, a month
};
identified identify_call(const quota::key_owner& owner, const config::settings& settings);
result<void, problem> read_attribution(identified& payer, const routes::request_view& request,
                                       const config::identity_settings& settings);

// What it is, and what it costs at most.
struct priced {
  routes::classified found;
  std::size_t route = 0;  // its index
};

struct call {
  hop_by_hop hops;
  opened head;
  identified payer;
  std::optional<priced> work;
  const routes::route* candidate = nullptr;  // may be its route, when the body has been read

  bool is_priced() const { return work.has_value(); }
  const routes::route& route() const { return *work->found.matched; }
  const std::string& path() const { return head.target.path; }
  bool is_shadow() const { return route().settings.shadow || payer.shadow; }
  bool is_metered_by(quota::meter_kind what) const {
    return is_priced() && route().price_at.meter == what;
  }
  // A path says more than a header does.
  std::string_view agent() const;
  std::string_view conversation() const;
  quota::attribution attribution() const;
  // In whose words a problem of this call is said.
  routes::dialect dialect(const message_head& head) const;
};

// What cannot be priced: a WebSocket whose seconds are to be counted.
result<void, problem> check_priced(const call& what);

}  // namespace tollgate::proxy
