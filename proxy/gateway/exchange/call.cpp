#include "proxy/gateway/exchange/call.hpp"

#include "proxy/gateway/exchange/problems.hpp"

namespace tollgate::proxy {

using routes::problem_code;

result<opened, problem> open_call(const message_head& head) {
  auto target = routes::read_target(head.request());
  if (auto* refused = std::get_if<problem>(&target)) return std::move(*refused);
  return opened{std::get<routes::clean_target>(std::move(target))};
}

result<void, problem> check_opened(const message_head& head, const hop_by_hop& hops,
                                   std::uint64_t announced_bytes, std::uint64_t most_bytes) {
  // TRACE would show the caller the request sent upstream, including the upstream's credentials;
  // CONNECT asks for a tunnel to any host.
  if (head.method == "TRACE" || head.method == "CONNECT") {
    return problem{
        problem_code::invalid_request, std::string{head.method} + " is not supported.", {}, {}};
  }
  if (hops.unknown_expectation) {
    return problem{
        problem_code::invalid_request, "The only supported Expect is 100-continue.", {}, {}};
  }
  if (most_bytes != 0 && announced_bytes > most_bytes) return body_too_large(most_bytes);
  return {};
}

identified identify_call(const quota::key_owner& owner, const config::settings& settings) {
  identified payer{owner.org, owner.key_id, {}, {}, owner.shadow, owner.suspended, {}};
  for (const auto& each : settings.plans) {
    if (each.name == owner.plan && !each.custom) payer.allocation = each.terms.allocation;
  }
  return payer;
}

result<void, problem> read_attribution(identified& payer, const routes::request_view& request,
                                       const config::identity_settings& settings) {
  constexpr std::size_t longest = 256;
  for (const auto& [header, member] :
       {std::pair{&settings.agent_header, &payer.agent},
        std::pair{&settings.conversation_header, &payer.conversation}}) {
    const auto value = header->empty() ? std::string_view{} : request.header(*header);
    if (value.size() > longest) {
      return problem{problem_code::invalid_request, *header + " is longer than 256 bytes.", {}, {}};
    }
    *member = value;
  }
  return {};
}

std::string_view call::agent() const {
  return is_priced() && !work->found.agent.empty() ? std::string_view{work->found.agent}
                                                   : payer.agent;
}

std::string_view call::conversation() const {
  return is_priced() && !work->found.conversation.empty()
             ? std::string_view{work->found.conversation}
             : payer.conversation;
}

quota::attribution call::attribution() const {
  const auto& settings = route().settings;
  return {settings.name,
          settings.action,
          work->found.model,
          std::string{agent()},
          std::string{conversation()},
          payer.key_id};
}

routes::dialect call::dialect(const message_head& head) const {
  if (is_priced()) return route().settings.dialect;
  if (candidate != nullptr) return candidate->settings.dialect;
  const auto request = head.request();
  const auto path = this->path().empty() ? head.target : std::string_view{this->path()};
  return routes::guess_dialect(path, request);
}

result<void, problem> check_priced(const call& what) {
  if (what.hops.websocket && what.route().price_at.meter != quota::meter_kind::none) {
    return problem{problem_code::unmeasurable_audio,
                   "This call is priced by the second of audio, which cannot be counted in a "
                   "WebSocket.",
                   {},
                   {}};
  }
  return {};
}

}  // namespace tollgate::proxy
