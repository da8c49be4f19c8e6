#include "proxy/gateway/exchange/audio_upload.hpp"

#include <algorithm>

#include "proxy/net/http/field_rules.hpp"

namespace tollgate::proxy {

using routes::meters::state;

namespace {

// How much of an upload is kept in memory: all of a short one; of a long one, the bytes before it
// is clear whether it is audio. Anything that needs more goes into a file.
constexpr std::size_t kept_limit = 256 * 1024;

// Upstreams that pass fields on as environment variables read `_` as `-`.
bool says_once(const routes::request_view& request, std::string_view name) {
  std::size_t found = 0;
  for (const auto& field : request.headers) found += same_field(field.name, name) ? 1 : 0;
  return found == request.count(name) && found <= 1;
}

result<void, problem> check_fields(const routes::request_view& request) {
  for (const std::string_view name : {"content-type", "content-encoding"}) {
    if (says_once(request, name)) continue;
    return routes::invalid_request("The price of this call depends on its body, whose " +
                                   std::string{name} +
                                   " header stands twice, or in other letters.");
  }
  return {};
}

problem unmeasurable(const routes::audio_tap& tap) {
  return {problem_code::unmeasurable_audio,
          "This call is priced by the second of audio, which cannot be counted: " +
              tap.why_unmeasurable() + ". Nothing was charged.",
          {},
          {}};
}

problem given_up() {
  return {problem_code::ledger_unavailable,
          "The credit ledger cannot be reached, so the call was given up before the upstream had "
          "all of it; nothing was charged. Try again shortly.",
          std::chrono::seconds{1},
          {}};
}

}  // namespace

task<result<void, problem>> audio_upload::begin(time_setter allow) {
  if (auto sound = check_fields(context_.head().request()); !sound) co_return sound;
  metered_.tap(context_.head());
  auto& tap = metered_.audio();
  tap.write(body_.kept());  // the bytes read to classify it
  const bool is_short = context_.request.content_length().value_or(kept_limit + 1) <= kept_limit;
  auto read = co_await body_.gather(kept_limit, [&](std::string_view piece) {
    tap.write(piece);
    return !is_short && !tap.needs_all();
  });
  if (read) read = count_memory();
  if (!read) co_return read;
  metered_.expect({call_.route().price_at.increment_us});
  if (!body_.done() && may_keep()) {
    if (auto kept = co_await keep_all(allow); !kept) co_return kept;
  }
  if (body_.done()) {
    tap.finish();
    if (auto measured = co_await read_again(); !measured) co_return measured;
    body_.set_whole(!spool_);
  }
  if (auto sound = check(); !sound) co_return sound;
  co_return co_await hold_what_came();
}

// The exact price of a complete upload, or the least that an incomplete one can cost.
task<result<void, problem>> audio_upload::hold_what_came() {
  const auto counted = metered_.audio().used();
  if (body_.done()) metered_.expect({std::max(metered_.estimated().amount, counted.amount)});
  if (!hold_.in_place()) co_return co_await hold_.reserve(call_);
  // The upload was kept, and the least was held before.
  if (!body_.done()) co_return result<void, problem>{};
  hold_.meter(counted, true);
  co_return co_await cover();
}

// Valid, unless the upload must be refused for its contents. One that stays undecided for too long
// must be.
result<void, problem> audio_upload::check() const {
  const auto& tap = metered_.audio();
  const bool decided = tap.status() == state::measuring && !tap.needs_all();
  if (decided || estimates_unmeasurable()) return {};
  return unmeasurable(tap);
}

bool audio_upload::estimates_unmeasurable() const {
  return call_.is_shadow() ||  // shadow mode refuses nothing
         metered_.settings().estimates_unmeasurable(quota::meter_kind::request_audio);
}

task<result<void, problem>> audio_upload::pass(std::string_view piece) {
  const auto before = metered_.used();
  auto passed = meter(piece);
  if (passed && body_.done()) passed = co_await cover();
  refused_ = !passed;
  // The answer has begun, so the call is charged; this piece is not sent.
  if (refused_ && hold_.settles()) metered_.close_at(before);
  co_return passed;
}

result<void, problem> audio_upload::meter(std::string_view piece) {
  auto& tap = metered_.audio();
  tap.write(piece);
  if (auto room = count_memory(); !room) return room;
  if (body_.done()) tap.finish();
  if (tap.status() != state::undecided) {
    if (auto sound = check(); !sound) return sound;
  }
  hold_.meter(tap.used(), body_.done());
  if (hold_.exhausted()) return hold_.out_of_credits(body_.done());
  return {};
}

result<void, problem> audio_upload::count_memory() {
  const auto outcome = index_.grow_to(metered_.audio().memory(), call_.payer.org);
  if (outcome == memory_outcome::taken) return {};
  return no_memory("the index of this upload");
}

// Waits until the hold covers all of the upload. Only then may its last byte be sent.
task<result<void, problem>> audio_upload::cover() {
  const auto covered =
      co_await hold_.cover(metered_.audio().used(), true, held_charge::patience::while_wanted);
  if (covered == coverage::exhausted) co_return hold_.out_of_credits(body_.done());
  if (covered == coverage::unavailable) co_return given_up();
  co_return result<void, problem>{};
}

}  // namespace tollgate::proxy
