// The part of an exchange that counts seconds of audio. An upload is metered while it passes up,
// and its last byte is kept back until all of it is held; an answer is metered while it passes
// down, and its hold grows ahead of it.
#include "proxy/gateway/exchange/exchange_parts.hpp"
#include "proxy/net/http/field_rules.hpp"
#include "proxy/net/relay.hpp"

namespace tollgate::proxy {

namespace {

// How much of an upload is kept in memory: all of a short one, of a long one as long as nobody can
// tell yet whether it is audio. What needs more than that goes into a file.
constexpr std::size_t kept_limit = 256 * 1024;

bool is_metered_by(const routes::route* route, quota::meter_kind what) {
  return route != nullptr && route->price_at.meter == what;
}

// Upstreams that hand fields on as variables of an environment take `_` for `-`.
bool says_once(const routes::request_view& request, std::string_view name) {
  std::size_t found = 0;
  for (const auto& field : request.headers) found += same_field(field.name, name) ? 1 : 0;
  return found == request.count(name) && found <= 1;
}

problem unmeasurable(const routes::audio_tap& tap) {
  return {problem_code::unmeasurable_audio,
          "This call is priced by the second of audio, which cannot be counted: " +
              tap.why_unmeasurable() + ". Nothing was charged.",
          {},
          {}};
}

}  // namespace

const routes::audio_settings& exchange::audio() const {
  static const routes::audio_settings by_default;
  return route().settings.audio ? *route().settings.audio : by_default;
}

void exchange::tap_body(const message_head& head) {
  tap_.emplace(audio(), routes::audio_tap::body_facts{head.find(http::field::content_type),
                                                      head.find(http::field::content_encoding),
                                                      classified_.wants_raw_pcm, meters_upload()});
}

// --- an upload -----------------------------------------------------------------------------------

bool exchange::meters_upload() const {
  return settings().metering &&
         is_metered_by(classified_.matched, quota::meter_kind::request_audio);
}

// Before anything is held or sent: reads until it is clear that this is audio. A short upload is
// all there then, and what is reserved is exact.
task<exchange::verdict> exchange::begin_upload() {
  for (const std::string_view name : {"content-type", "content-encoding"}) {
    if (says_once(request_.head().request(), name)) continue;
    co_return routes::invalid_request("The price of this call depends on its body, whose " +
                                      std::string{name} +
                                      " header stands twice, or in other letters.");
  }
  tap_body(request_.head());
  tap_->write(body_);  // what was read to classify it
  const bool is_short = request_.content_length().value_or(kept_limit + 1) <= kept_limit;
  const auto enough = [this, is_short](std::string_view piece) {
    tap_->write(piece);
    return !is_short && !tap_->needs_all();
  };
  if (auto refused = co_await gather_body(kept_limit, enough)) co_return refused;
  classified_.estimated.amount = route().price_at.increment_us;
  if (!request_.done() && may_spool()) {
    if (auto refused = co_await keep_upload()) co_return refused;
  }
  if (request_.done()) {
    tap_->finish();
    if (auto refused = co_await read_upload_again()) co_return refused;
    body_is_buffered_ = !spool_;
  }
  if (auto refused = check_upload()) co_return refused;
  co_return co_await hold_what_came();
}

// One that has come whole is held as it is, exactly; of another, the least that any can cost.
task<exchange::verdict> exchange::hold_what_came() {
  auto& estimate = classified_.estimated.amount;
  if (request_.done()) estimate = std::max(estimate, tap_->used().amount);
  if (!charge_) co_return co_await reserve();
  // It was kept, and the least was held before.
  if (!request_.done()) co_return verdict{};
  worker_.charges().meter(charge_, tap_->used(), true);
  co_return co_await cover_upload();
}

// Empty: the body decides nothing, or is charged by its size.
std::string exchange::content_type_as_read() const {
  if (meters_upload() && tap_) return tap_->content_type();
  return classified_.content_type;
}

// Nothing, unless the upload must be refused for what it is. One that is too long undecided is.
exchange::verdict exchange::check_upload() {
  const bool decided = tap_->status() == routes::meters::state::measuring && !tap_->needs_all();
  if (decided || estimates_unmeasurable()) return {};
  return unmeasurable(*tap_);
}

bool exchange::estimates_unmeasurable() const {
  return is_shadow() ||  // which refuses nothing
         audio().estimates_unmeasurable(quota::meter_kind::request_audio);
}

// One more piece, before it is sent on. A problem ends the call.
task<exchange::verdict> exchange::hold_upload(std::string_view piece) {
  auto refused = meter_upload(piece);
  if (!refused && request_.done()) refused = co_await cover_upload();
  upload_refused_ = refused.has_value();
  co_return refused;
}

exchange::verdict exchange::meter_upload(std::string_view piece) {
  tap_->write(piece);
  if (request_.done()) tap_->finish();
  const bool undecided = tap_->status() == routes::meters::state::undecided;
  if (!undecided) {
    if (auto refused = check_upload()) return refused;
  }
  worker_.charges().meter(charge_, tap_->used(), request_.done());
  return charge_->money.exhausted() ? verdict{out_of_credits()} : verdict{};
}

// Waits until all of the upload is held. Only then may its last byte go up.
task<exchange::verdict> exchange::cover_upload() {
  for (int attempt = 0; !charge_->money.covers(tap_->used()); ++attempt) {
    if (charge_->money.exhausted()) co_return out_of_credits();
    if (client_.gone() || total_timeout_) break;
    if (!co_await worker_.store_ready() || attempt > 20) {
      co_return problem{problem_code::ledger_unavailable,
                        "The credit ledger cannot be reached, so the call was given up before the "
                        "upstream had all of it; nothing was charged. Try again shortly.",
                        std::chrono::seconds{1},
                        {}};
    }
    worker_.charges().meter(charge_, tap_->used(), true);
    if (charge_->asking) co_await charge_->answered.wait();
  }
  co_return verdict{};
}

// What of an upload may go up now that `piece` has come: all but its last byte, without which no
// upstream has the request, until all of it is held.
std::string exchange::release_upload(std::string_view piece) {
  std::string released = std::exchange(body_, {});
  released.append(piece);
  if (request_.done() || released.empty()) return released;
  body_.assign(1, released.back());
  released.pop_back();
  return released;
}

problem exchange::out_of_credits() {
  const auto& money = charge_->money;
  const auto needed = quota::price(route().price_at, tap_->used());
  auto refused = refused_by_ledger(money, needed, money.held());
  if (!request_.done()) refused.message += " (so far; the upload has not ended)";
  return refused;
}

// --- an answer -----------------------------------------------------------------------------------

bool exchange::meters_answer() const {
  return charge_ && is_metered_by(classified_.matched, quota::meter_kind::response_audio) &&
         quota::resolve(charge_->money.agreed().policy, record_.end) == quota::resolution::settle;
}

// False: the credits are used up, and the route wants the answer cut before this piece.
task<bool> exchange::meter_answer(std::string_view piece) {
  const bool cuts = audio().on_exhausted == routes::when_exhausted::cut;
  const auto before = cuts ? tap_->used() : quota::usage{0};
  tap_->write(piece);
  const auto used = tap_->used();
  worker_.charges().meter(charge_, used, false);
  if (cuts) {
    while (!charge_->money.covers(used) && !charge_->money.exhausted()) {
      if (charge_->asking) {
        co_await charge_->answered.wait();
      } else if (co_await worker_.store_ready()) {
        worker_.charges().meter(charge_, used, false);
      } else {
        break;
      }
    }
    if (!charge_->money.covers(used)) {
      used_ = before;
      co_return false;
    }
  }
  co_return true;
}

// The answer stops here. Events end with one that says why; other audio ends as a body that breaks
// off, for an end as announced would pass for the whole.
task<> exchange::cut_answer(body_shape shape) {
  broke_off(quota::stream_end::cut);
  auto why = out_of_credits();
  record_.refusal = why.code;
  const auto type = response_->head().find(http::field::content_type);
  const bool plain = response_->head().find(http::field::content_encoding).empty();
  if (plain && type.starts_with("text/event-stream") && shape.how == framing::chunked) {
    why.message = "The answer was cut because the credits are used up. " + why.message;
    const std::string event =
        "\n\nevent: error\ndata: " + routes::render(why, dialect_, record_.request_id) + "\n\n";
    chunk_frame frame{true};
    const auto buffers = frame.around({}, event, true, {});
    client_.io.expires_after(settings().timeouts.client_write);
    if (co_await client_.io.write(buffers)) client_.io.close();
    client_.io.never_expires();
    co_return;
  }
  if (shape.how == framing::until_close) client_.io.reset_on_close();
  client_.io.close();
}

std::string exchange::charge_trailer() {
  return "X-Credits-Charged: " + to_string(quota::price(route().price_at, used())) + "\r\n";
}

// --- both ----------------------------------------------------------------------------------------

// What is charged if the call is.
// While it goes on: nothing is final by asking.
quota::usage exchange::used_so_far() const {
  if (used_) return *used_;
  if (!tap_) {
    const bool awaited_audio =
        is_metered_by(classified_.matched, quota::meter_kind::response_audio);
    return awaited_audio ? quota::usage{0} : classified_.estimated;
  }
  return tap_->status() == routes::meters::state::measuring ? tap_->used() : quota::usage{0};
}

// Of an answer whose seconds are counted, none has come yet. One that cannot be measured has begun.
bool exchange::awaits_audio() const {
  using routes::meters::state;
  if (!is_metered_by(classified_.matched, quota::meter_kind::response_audio)) return false;
  if (!tap_ || tap_->status() == state::undecided) return true;
  return tap_->status() == state::measuring && tap_->used().amount == 0;
}

// What a client pays, where it does, that leaves now. The upstream works on all that was asked for,
// so before the first of it has come, that is what was estimated.
quota::usage exchange::used_if_left() const {
  return awaits_audio() ? classified_.estimated : used_so_far();
}

quota::usage exchange::used() {
  const bool nobody_was_answered = record_.end == quota::stream_end::client_gone_early ||
                                   record_.end == quota::stream_end::client_gone_waiting ||
                                   record_.end == quota::stream_end::client_gone ||
                                   record_.end == quota::stream_end::no_answer;
  if (!used_ && nobody_was_answered && awaits_audio()) used_ = used_if_left();
  if (used_ || !tap_) return used_so_far();
  // What was counted before the end counts, also where the end shows that something is missing.
  const auto so_far = used_so_far();
  tap_->finish();
  const bool still_counted = tap_->status() == routes::meters::state::measuring;
  used_ = still_counted || so_far.amount == 0 ? tap_->used() : so_far;
  // An upload without a byte may ask for work all the same, by its query for one.
  if (meters_upload()) used_->amount = std::max<std::int64_t>(used_->amount, 1);
  return *used_;
}

}  // namespace tollgate::proxy
