#include "proxy/gateway/exchange/exchange.hpp"

#include "proxy/gateway/exchange/exchange_parts.hpp"
#include "routes/credential.hpp"

namespace tollgate::proxy {

exchange::exchange(worker& worker, downstream& client, request_reader& request)
    : worker_{worker},
      client_{client},
      request_{request},
      request_framing_{request.body_framing()},
      runtime_{worker.current()},
      started_{steady_clock::now()} {
  worker_.exchange_started();
}

// However an exchange is left, its hold is resolved.
exchange::~exchange() {
  client_.on_gone(nullptr);
  if (!finished_) finish();
}

task<bool> exchange::run() {
  auto refused = open();
  const bool metered = settings().metering;
  if (!refused && is_payment_event()) co_return co_await answer_payment_event();
  if (!refused && metered) refused = co_await identify();
  if (!refused && asks_about_billing()) co_return co_await answer_billing();
  if (!refused) refused = co_await classify();
  if (!refused && meters_upload()) {
    refused = co_await begin_upload();  // and reserves, once it knows what for
  } else if (!refused && metered) {
    refused = co_await reserve();
  }
  if (!refused) refused = co_await forward();
  if (refused) {
    co_await refuse(*refused);
  } else {
    co_await deliver();
  }
  finish();
  co_return keep_client_;
}

// --- open: what the head says, before anybody is asked ------------------------------------------

exchange::verdict exchange::open() {
  auto& head = request_.head();
  hops_ = strip_hop_by_hop(head);
  record_.request_id = choose_request_id(head, *worker_.world().ids);
  record_.method = head.method;
  record_.peer = client_.peer;
  worker_.deadlines().arm(*this, settings().timeouts.total);
  keep_client_ = request_.keep_alive() && !worker_.draining();

  auto target = routes::read_target(head.request());
  const bool anthropic = head.request().count("anthropic-version") > 0;
  const bool has_key_field = head.request().count("x-api-key") > 0;
  if (auto* refused = std::get_if<problem>(&target)) {
    dialect_ = routes::guess_dialect(head.target, has_key_field, anthropic);
    return std::move(*refused);
  }
  target_ = std::get<routes::clean_target>(std::move(target));
  dialect_ = routes::guess_dialect(target_.path, has_key_field, anthropic);
  record_.path = target_.path;
  // TRACE would show the caller what is sent upstream, the upstream's credentials included; CONNECT
  // asks for a tunnel to anywhere.
  if (head.method == "TRACE" || head.method == "CONNECT") {
    return problem{problem_code::invalid_request, record_.method + " is not supported.", {}, {}};
  }
  if (hops_.unknown_expectation) {
    return problem{
        problem_code::invalid_request, "The only supported Expect is 100-continue.", {}, {}};
  }
  const auto limit = settings().limits.body_bytes;
  if (limit != 0 && request_.content_length().value_or(0) > limit) {
    return body_too_large(limit);
  }
  return {};
}

// --- identify: who pays --------------------------------------------------------------------------

task<exchange::verdict> exchange::identify() {
  const auto credential = routes::read_credential(request_.head().request());
  if (const auto* refused = std::get_if<problem>(&credential)) co_return *refused;
  const auto& hash = client_.key.hash_of(std::get<std::string_view>(credential));

  std::optional<quota::key_owner> owner;
  if (const auto* known = worker_.keys().fresh(hash, worker_.deadlines().now())) {
    owner = *known;
  } else {
    if (!co_await worker_.store_ready()) co_return ledger_unavailable();
    auto found = co_await worker_.keys().look_up(hash, worker_.deadlines().now());
    if (!found) co_return ledger_unavailable();
    owner = *std::move(found);
  }
  if (!owner) {
    co_return problem{
        problem_code::invalid_api_key,
        "This API key is not known or was revoked; check the key, or create a new one.",
        {},
        {}};
  }
  record_.org = std::move(owner->org);
  record_.who.key_id = std::move(owner->key_id);
  shadow_org_ = owner->shadow;
  find_allocation(owner->plan);
  co_return read_attribution();
}

void exchange::find_allocation(const std::string& plan) {
  for (const auto& each : settings().plans) {
    if (each.name == plan && !each.custom) allocation_ = each.terms.allocation;
  }
}

exchange::verdict exchange::read_attribution() {
  const auto request = request_.head().request();
  const auto& identity = settings().identity;
  for (const auto& [header, member] :
       {std::pair{&identity.agent_header, &record_.who.agent},
        std::pair{&identity.conversation_header, &record_.who.conversation}}) {
    const auto value = header->empty() ? std::string_view{} : request.header(*header);
    if (value.size() > 256) {
      return problem{problem_code::invalid_request, *header + " is longer than 256 bytes.", {}, {}};
    }
    *member = value;
  }
  return {};
}

// --- classify: what it is, and what it will cost at most ---

task<exchange::verdict> exchange::classify() {
  const auto request = request_.head().request();
  const auto& table = runtime_->config->routes;
  auto found = table.classify(request, target_);
  if (const auto* needs = std::get_if<routes::needs_body>(&found)) {
    if (needs->candidate != nullptr) dialect_ = needs->candidate->settings.dialect;
    if (auto refused = co_await read_json_body()) co_return refused;
    found = table.classify(request, target_, &body_);
  }
  co_return admit(std::move(found));
}

exchange::verdict exchange::admit(routes::classification found) {
  if (auto* refused = std::get_if<problem>(&found)) return std::move(*refused);
  classified_ = std::get<routes::classified>(std::move(found));
  const auto& settings = route().settings;
  dialect_ = settings.dialect;
  record_.route = runtime_->index_of(route());
  pool_ = &runtime_->pool_of(record_.route);
  auto& who = record_.who;
  who.route = settings.name;
  who.action = settings.action;
  who.model = classified_.model;
  if (hops_.websocket && route().price_at.meter != quota::meter_kind::none) {
    return problem{problem_code::unmeasurable_audio,
                   "This call is priced by the second of audio, which cannot be counted in a "
                   "WebSocket.",
                   {},
                   {}};
  }
  if (!classified_.agent.empty()) who.agent = classified_.agent;
  if (!classified_.conversation.empty()) who.conversation = classified_.conversation;
  return {};
}

task<exchange::verdict> exchange::read_json_body() {
  const std::size_t limit = settings().limits.json_bytes;
  const auto too_large =
      problem{problem_code::body_too_large,
              "The body must be read to price this call, and is larger than the limit of " +
                  std::to_string(limit) + " bytes.",
              {},
              {}};
  if (request_.content_length().value_or(0) > limit) co_return too_large;
  body_is_buffered_ = true;
  if (auto refused = co_await gather_body(limit, nullptr)) co_return refused;
  if (body_.size() > limit) co_return too_large;
  co_return verdict{};
}

// Reads the body into `body_`: all of it, or until `enough` says so or it is longer than `limit`.
task<exchange::verdict> exchange::gather_body(std::size_t limit, enough enough) {
  if (hops_.expects_continue && client_.in.empty() && !request_.done()) {
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    co_await client_.io.write(asio::buffer(go_on));
    hops_.expects_continue = false;
  }
  while (!request_.done()) {
    const auto piece = request_.decode(client_.in);
    body_.append(piece.body);
    const bool satisfied = enough && !piece.body.empty() && enough(piece.body);
    client_.in.consume(piece.consumed);
    record_.bytes_in += piece.body.size();
    if (piece.error) co_return malformed_body();
    const auto most = settings().limits.body_bytes;
    if (most != 0 && record_.bytes_in > most) co_return body_too_large(most);
    if (request_.done() || satisfied || body_.size() > limit) break;
    client_.io.expires_after(settings().timeouts.client_body);
    const bool more = co_await client_.read_more(byte_buffer::transfer_capacity);
    client_.io.never_expires();
    if (!more && total_timeout_) {
      co_return problem{problem_code::request_timeout, "The body took too long.", {}, {}};
    }
    if (!more && !client_.at_end()) co_return malformed_body();  // a chunk header without an end
    if (!more) {
      co_return body_ended_early();
    }
  }
  co_return verdict{};
}

// --- finish: settle or void, and write it down ---

void exchange::finish() {
  finished_ = true;
  deadline_list::disarm(*this);
  if (charge_) {
    const auto& terms = charge_->money.agreed();
    const auto usage = used();
    record_.estimate = charge_->money.estimate();
    record_.extended = charge_->money.held() - record_.estimate;
    record_.settles = quota::resolve(terms.policy, record_.end) == quota::resolution::settle;
    if (record_.settles) record_.charged = quota::price(terms.price_at, usage);
    if (tap_) {
      record_.audio_us = usage.amount;
      record_.unmeasurable = tap_->status() == routes::meters::state::unmeasurable;
    }
    worker_.charges().end(std::move(charge_), {record_.end, usage});
  }
  if (!head_sent_) record_.overhead_us = overhead_so_far();
  record_.total_us = us_between(started_, steady_clock::now());
  worker_.exchange_finished(record_, *runtime_);
}

// Our own part of the time until now: what the client waited for neither the store nor the
// upstream.
std::int64_t exchange::overhead_so_far() const {
  return us_between(started_, steady_clock::now()) - record_.upstream_us - record_.store_us;
}

void exchange::on_deadline() {
  if (streaming_) return watch_stream();
  total_timeout_ = true;
  if (up_) up_->io.close();
  if (head_sent_) client_.io.close();
  if (!up_ && !head_sent_) client_.forbid_reads();  // still waiting for the body
}

}  // namespace tollgate::proxy
