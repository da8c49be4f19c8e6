// The stages named in run().
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "proxy/gateway/exchange/event_stream.hpp"
#include "proxy/gateway/exchange/exchange.hpp"
#include "proxy/gateway/exchange/own_answers.hpp"
#include "proxy/gateway/exchange/tunnel.hpp"
#include "proxy/net/background_thread.hpp"

namespace tollgate::proxy {

namespace {

// Of a call that the upstream has not received.
constexpr int most_repetitions = 2;
// A body that is not compressed and not larger takes a few milliseconds to read.
constexpr std::size_t quickly_parsed = std::size_t{1} << 20;
// The largest body of an honest client takes a quarter of it.
constexpr std::chrono::seconds most_decoding{1};

problem stopping() {
  return {problem_code::overloaded,
          "This Tollgate is stopping; try again.",
          std::chrono::seconds{1},
          {}};
}

routes::request_view classified_view(const message_head& head, const hop_by_hop& hops) {
  auto view = head.request();
  view.websocket = hops.websocket;
  return view;
}

bool is_compressed(const message_head& head) {
  return head.has(http::field::content_encoding);
}

constexpr std::uint16_t policy_violation = 1008;  // RFC 6455 section 7.4.1

problem too_large_to_price(std::uint64_t limit) {
  return {problem_code::body_too_large,
          "The body must be read to price this call, and is larger than the limit of " +
              std::to_string(limit) + " bytes.",
          {},
          {}};
}

// An organization that is suspended may still read its account. Shadow mode refuses nothing; that
// of the organization is the key cache's, which knows what it is now.
bool outlives_suspension(const exchange_context& context, const call& what) {
  if (asks_about_billing(what, context.settings())) return true;
  if (what.is_priced()) return what.route().settings.shadow;
  const auto& table = context.view->config->routes;
  return table.least(context.head().request(), what.head.target).may_be_shadow;
}

// Of a caller that could not be looked up, so that the call was not classified: the route by its
// head, or the first one that may be it. Null: there is none.
const routes::route* likely_route(const routes::route_table& table, const message_head& head,
                                  const opened& call) {
  const auto found = table.classify(head.request(), call.target);
  if (const auto* known = std::get_if<routes::classified>(&found)) return known->matched;
  const auto* const maybe = std::get_if<routes::needs_body>(&found);
  return maybe != nullptr ? maybe->candidate : nullptr;
}

exchange_record::durations durations_of(call_times& times, steady_time started) {
  exchange_record::durations took;
  const auto now = std::chrono::steady_clock::now();
  times.enter(times.current(), now);
  took.key_us = times.us(call_part::key);
  took.request_us = times.us(call_part::request);
  took.store_us = times.us(call_part::store);
  took.connect_us = times.us(call_part::connect);
  took.upstream_us = times.us(call_part::upstream);
  took.response_us = times.us(call_part::response);
  took.total_us = us_between(started, now);
  // Takes what the other parts lost to rounding.
  took.overhead_us = took.total_us - took.key_us - took.request_us - took.store_us -
                     took.connect_us - took.upstream_us - took.response_us;
  return took;
}

}  // namespace

// --- open: the contents of the head, before any lookup ------------------------------------------

result<void, problem> exchange::open() {
  auto& head = context_.request.head();
  call_.hops = strip_hop_by_hop(head);
  if (!settings().metering) context_.client.caller.known = true;  // nobody shows a key
  context_.request_id = choose_request_id(head, context_.host.ids());
  body_.wait_for_invitation(call_.hops.expects_continue);
  answer_.keep_connection(context_.request.keep_alive() && !context_.host.draining());
  context_.host.deadlines().arm(*this, settings().timeouts.total);
  auto opened = open_call(head);
  if (!opened) return opened.error();
  call_.head = *std::move(opened);
  if (const auto& name = settings().identity.key_query; !name.empty()) {
    auto taken = routes::take_query_key(call_.head.target, name);
    if (auto* refused = std::get_if<problem>(&taken)) return std::move(*refused);
    context_.query_key = std::get<std::string>(std::move(taken));
  }
  return check_opened(head, call_.hops, body_.announced(), settings().limits.body_bytes);
}

// --- identify: who pays --------------------------------------------------------------------------

bool exchange::identify(result<void, problem>& passed) {
  const auto credential = routes::read_credential(context_.head().request(), context_.key_places());
  if (const auto* refused = std::get_if<problem>(&credential)) {
    passed = *refused;
    return true;
  }
  const auto& hash = context_.client.key.hash_of(std::get<std::string_view>(credential));
  const auto* owner = context_.host.keys().fresh(hash, context_.host.deadlines().now());
  if (owner != nullptr) passed = know_caller(*owner);
  return owner != nullptr;
}

task<result<void, problem>> exchange::look_up_caller() {
  const auto credential = routes::read_credential(context_.head().request(), context_.key_places());
  const auto hash = context_.client.key.hash_of(std::get<std::string_view>(credential));
  const waiting_for key{context_.times, call_part::key};
  if (!co_await context_.host.charges().store_ready(settings().store.wait)) {
    co_return ledger_unavailable();
  }
  const auto found = co_await context_.host.keys().look_up(hash, context_.host.deadlines().now());
  if (!found) co_return ledger_unavailable();
  if (!*found) {
    co_return problem{
        problem_code::invalid_api_key,
        "This API key is not known or was revoked; check the key, or create a new one.",
        {},
        {}};
  }
  co_return know_caller(**found);
}

result<void, problem> exchange::know_caller(const quota::key_owner& owner) {
  auto& caller = context_.client.caller;
  caller.known = true;
  if (caller.org != owner.org) caller.org = owner.org;
  call_.payer = identify_call(owner, settings());
  body_.belongs_to(call_.payer.org);
  return read_attribution(call_.payer, context_.head().request(), settings().identity);
}

// --- price: route and kind of the call, and the most it can cost ---------------------------------

result<void, problem> exchange::classify() {
  const auto& table = context_.view->config->routes;
  auto found = table.classify(classified_view(context_.head(), call_.hops), call_.head.target);
  if (const auto* needs = std::get_if<routes::needs_body>(&found)) {
    call_.candidate = needs->candidate;
    return {};
  }
  return take(std::move(found));
}

task<result<void, problem>> exchange::classify_by_body() {
  const auto most = settings().limits.json_bytes;
  body_.set_whole(true);
  result<void, problem> read;
  if (body_.announced() <= kept_memory::small) {
    read = co_await body_.read_whole(most, too_large_to_price, kept_memory::small);
  }
  if (read && !body_.done()) {
    read = co_await admit_large_body();
    if (read) read = co_await body_.read_whole(most, too_large_to_price);
  }
  if (!read) co_return read;
  if (body_.kept().size() <= quickly_parsed && !is_compressed(context_.head())) {
    co_return take(classify_whole_body());
  }
  std::optional<routes::classification> found;  // it would hold up everybody else's calls
  const bool has_run = co_await context_.host.run_aside(call_.payer.org, [&] {
    const auto begun = background_thread::processor_time();
    found = classify_whole_body(
        [begun] { return background_thread::processor_time() - begun < most_decoding; });
  });
  if (!has_run) co_return stopping();
  co_return take(*std::move(found));
}

// A caller who can pay for nothing that this call may be does not make this process keep its body.
// The ledger decides; it is asked only if the caller is suspended, or seems to have too little.
task<result<void, problem>> exchange::admit_large_body() {
  const auto& table = context_.view->config->routes;
  const auto least = table.least(context_.head().request(), call_.head.target);
  const auto& payer = call_.payer;
  const bool is_free = !settings().metering || least.cheapest == nullptr;
  if (is_free || payer.shadow || least.may_be_shadow) co_return result<void, problem>{};
  bool is_doubtful = payer.suspended;
  if (!is_doubtful && !least.may_be_critical) {
    const auto price = quota::price(least.cheapest->price_at, least.estimated);
    const auto credential =
        routes::read_credential(context_.head().request(), context_.key_places());
    const auto hash = context_.client.key.hash_of(std::get<std::string_view>(credential));
    const auto now = context_.host.deadlines().now();
    auto known = context_.host.keys().spendable(hash, now);
    if (!known || *known < price) {
      const waiting_for store{context_.times, call_part::store};
      const auto found = co_await context_.host.charges().spendable(payer.org);
      if (found) context_.host.keys().remember_spendable(hash, *found, now);
      known = found ? std::optional{*found} : std::nullopt;
    }
    is_doubtful = known && *known < price;
  }
  if (!is_doubtful) co_return result<void, problem>{};
  co_return co_await hold_.ask_for(least, call_);
}

// What a body takes beside itself, decoded and parsed, comes from the same budget, for as long as
// it is read. A small body that is not compressed takes next to nothing.
routes::classification exchange::classify_whole_body(std::function<bool()> may_go_on) {
  const auto& body = body_.kept();
  memory_loan loan{body_.memory().budget()};
  routes::body_limits limits{settings().limits.json_bytes, {}, std::move(may_go_on)};
  if (body.size() > kept_memory::small || is_compressed(context_.head())) {
    limits.may_use = [&loan](std::size_t bytes) { return loan.grow(bytes); };
  }
  return context_.view->config->routes.classify(classified_view(context_.head(), call_.hops),
                                                call_.head.target, &body, nullptr, limits);
}

result<void, problem> exchange::take(routes::classification found) {
  if (auto* refused = std::get_if<problem>(&found)) return std::move(*refused);
  auto& classified = std::get<routes::classified>(found);
  const auto index = context_.view->index_of(*classified.matched);
  call_.work.emplace(priced{std::move(classified), index});
  if (settings().metering) metered_.begin(call_.route(), call_.work->found);
  return check_priced(call_);
}

// --- forward, and deliver the answer -------------------------------------------------------------

task<result<void, problem>> exchange::forward() {
  if (!metered_.is_upload()) body_.keep_if_here();
  upstream_.begin(context_.view->pool_of(call_.work->route));
  auto result = attempt_result::failed;
  if (upstream_.streams_upload()) {
    co_await forward_beside_upload(result);
  } else {
    result = co_await upstream_.attempt(false);
    for (int more = most_repetitions; result == attempt_result::try_again && more > 0; --more) {
      context_.view->pool_of(call_.work->route).count_retry();
      result = co_await upstream_.attempt(true);
    }
    if (result == attempt_result::answered) co_await deliver();
  }
  if (result != attempt_result::answered) co_return upstream_.why();
  upstream_.give_back();
  co_return boost::system::result<void, problem>{};
}

// An upstream may answer before it has read everything: the answer is passed on beside the upload.
// Both have ended when this function returns.
task<> exchange::forward_beside_upload(attempt_result& result) {
  using namespace asio::experimental::awaitable_operators;
  result = co_await upstream_.connect(false);
  if (result != attempt_result::answered) co_return;
  hold_.ends(quota::stream_end::no_answer);
  co_await (upstream_.upload() && answer_upload(result));
}

task<> exchange::answer_upload(attempt_result& result) {
  const struct at_end {
    upstream_call& upstream;
    ~at_end() { upstream.stop_upload(); }
  } stopping{upstream_};
  result = co_await upstream_.receive_head();
  if (result == attempt_result::answered) {
    co_await deliver();
    // Tollgate ended this call, not the upstream: `upstream_failed: void` does not make it free.
    if (audio_.was_refused() && hold_.how() == quota::stream_end::upstream_failed) {
      hold_.ends(quota::stream_end::cut);
    }
    // The answer is complete and the upload is not: neither connection can be used again.
    if (upstream_.is_uploading()) answer_.end_connection();
  }
}

task<> exchange::deliver() {
  auto& head = upstream_.response().head();
  strip_hop_by_hop(head);
  if (!upstream_.is_uploading()) {  // the answer may stream for long
    body_.forget_kept();
    metered_.forget_held_back();
  }
  return head.status == 101 ? open_tunnel() : delivery_.run();
}

task<> exchange::open_tunnel() {
  answer_.end_connection();
  const auto head = answer_.head(upstream_.response().head(), upstream_.settings());
  deadline_list::disarm(*this);
  if (co_await answer_.write(asio::buffer(head))) {
    answer_.lost_client();
    co_return upstream_.close();
  }
  tunnel through{context_.client, upstream_.connection(), settings().timeouts};
  tunnel_ = &through;
  if (context_.lost_access()) through.close(policy_violation, access_lost(context_.access).message);
  co_await through.run();
  tunnel_ = nullptr;
  body_.count(through.bytes_up());
  answer_.count(through.bytes_down());
}

// --- the caller's access ends during the call ---------------------------------------------------

const quota::key_hash* exchange::admitted_by() {
  if (call_.payer.org.empty() || context_.lost_access() || finished_) return {};
  if (asks_about_billing(call_, settings()) && !events_) return {};
  const auto credential = routes::read_credential(context_.head().request(), context_.key_places());
  const auto* key = std::get_if<std::string_view>(&credential);
  return key != nullptr ? &context_.client.key.hash_of(*key) : nullptr;
}

// Each wait of the exchange ends: for the client's body, for a connection to the upstream or its
// answer, for the next event, or for a client that does not read. The part that waited finds out
// why.
void exchange::lost_access(key_cache::standing how) {
  constexpr std::chrono::milliseconds to_read_the_last_piece{500};
  if (how == key_cache::standing::suspended && outlives_suspension(context_, call_)) return;
  const bool may_finish = tunnel_ == nullptr && !events_;
  if (may_finish && settings().identity.on_revoked == config::when_revoked::finish) return;
  context_.access = how;
  context_.ends_by = context_.host.deadlines().now() + to_read_the_last_piece;
  if (tunnel_ != nullptr) return tunnel_->close(policy_violation, access_lost(how).message);
  auto& client = context_.client;
  const bool waits_for_client = answer_.head_sent() || client.io.is_writing();
  if (waits_for_client) client.io.expires_after(context_.write_patience());
  end_waits();
}

// What waits may continue, and this exchange end, before this function returns.
void exchange::end_waits() {
  const bool waits_for_body = !upstream_.is_leased() && !answer_.head_sent() && !body_.done();
  upstream_.close();
  if (events_) return events_->end();
  if (waits_for_body) context_.client.forbid_reads();
}

admitted_call::wait exchange::waits() const {
  const auto part = context_.times.current();
  const bool sends = part == call_part::request, reads = part == call_part::response;
  if (answer_.head_sent() || (!sends && !reads)) return wait::for_others;
  if (!hold_.in_place() && !upstream_.is_leased()) return wait::for_client;
  return sends ? wait::for_upload : wait::for_others;
}

// --- our own answers -----------------------------------------------------------------------------

task<result<void, problem>> exchange::answer_without_key() {
  co_await answer_keyless(context_, answer_);
  if (answer_.keeps_connection()) answer_.keep_connection(co_await body_.drain());
  co_return result<void, problem>{};
}

task<result<void, problem>> exchange::answer_about_billing() {
  auto events = co_await answer_billing(context_, call_, body_, answer_);
  if (events) {
    deadline_list::disarm(*this);  // the stream may last for days
    events_ = events;
    co_await stream_events(context_, answer_, std::move(events));
    events_.reset();
  }
  co_return result<void, problem>{};
}

task<> exchange::refuse(const problem& problem) {
  upstream_.close();
  const bool billing = asks_about_billing(call_, settings());
  if (problem.code == problem_code::ledger_unavailable && !call_.is_priced() && !billing) {
    call_.candidate = likely_route(context_.view->config->routes, context_.head(), call_.head);
  }
  return answer_.refuse(problem, billing ? billing_fields() : decltype(billing_fields()){});
}

// --- finish: settle or void, and record it -------------------------------------------------------

void exchange::finish() {
  if (std::exchange(finished_, true)) return;
  deadline_list::disarm(*this);
  exchange_record record;
  fill(record);
  if (const auto charge = hold_.resolve()) {
    record.money.held = true;
    record.money.beyond_balance = charge->beyond_balance;
    record.money.shadow = charge->shadow;
    record.money.settles = charge->settles;
    record.money.estimate = charge->estimate;
    record.money.extended = charge->extended;
    record.money.charged = charge->charged;
    if (metered_.is_tapped()) record.money.audio_us = charge->used.amount;
    record.money.unmeasurable = metered_.is_unmeasurable();
  }
  context_.host.exchange_finished(record, *context_.view);
}

void exchange::fill(exchange_record& record) {
  record.request_id = context_.request_id;
  record.who.org = call_.payer.org;
  record.method = context_.head().method;
  record.path = call_.path();
  record.peer = context_.client.peer;
  record.who.agent = call_.agent();
  record.who.conversation = call_.conversation();
  record.who.key_id = call_.payer.key_id;
  if (call_.is_priced()) {
    record.route = call_.work->route;
    record.who.route = call_.route().settings.name;
    record.who.action = call_.route().settings.action;
    record.who.model = call_.work->found.model;
  }
  record.status = answer_.status();
  record.upstream_status = upstream_.answered_with();
  record.refusal = answer_.refusal();
  if (!call_.is_priced() && record.refusal == problem_code::ledger_unavailable) {
    if (const auto* likely = call_.candidate) {
      record.route = context_.view->index_of(*likely);
      record.who.route = likely->settings.name;
    }
  }
  record.end = hold_.how();
  record.bytes_in = body_.bytes();
  record.bytes_out = answer_.bytes();
  record.failure = context_.failure;
  record.took = durations_of(context_.times, context_.started);
}

audio_upload::time_setter exchange::time_limit() {
  return [this](std::chrono::milliseconds most) { context_.host.deadlines().arm(*this, most); };
}

void exchange::on_deadline() {
  context_.timed_out = true;
  if (answer_.head_sent()) context_.client.io.close();
  end_waits();
}

}  // namespace tollgate::proxy
