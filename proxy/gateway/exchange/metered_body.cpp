#include "proxy/gateway/exchange/metered_body.hpp"

#include <algorithm>
#include <utility>

namespace tollgate::proxy {

using routes::meters::state;

void metered_body::begin(const routes::route& route, const routes::classified& found) {
  kind_ = route.price_at.meter;
  settings_ = route.settings.audio ? &*route.settings.audio : nullptr;
  wants_raw_pcm_ = found.wants_raw_pcm;
  estimated_ = found.estimated;
}

const routes::audio_settings& metered_body::settings() const {
  static const routes::audio_settings by_default;
  return settings_ != nullptr ? *settings_ : by_default;
}

void metered_body::tap(const message_head& head) {
  tap_.emplace(settings(), routes::audio_tap::body_facts{head.find(http::field::content_type),
                                                         head.find(http::field::content_encoding),
                                                         wants_raw_pcm_, is_upload()});
}

bool metered_body::is_unmeasurable() const {
  return tap_ && tap_->status() == state::unmeasurable;
}

std::string metered_body::release(std::string_view piece, bool last) {
  std::string released = std::exchange(held_back_, {});
  released.append(piece);
  if (last || released.empty()) return released;
  held_back_.assign(1, released.back());
  released.pop_back();
  return released;
}

quota::usage metered_body::so_far() const {
  if (final_) return *final_;
  if (!tap_) return is_answer() ? quota::usage{0} : estimated_;
  return tap_->status() == state::measuring ? tap_->used() : quota::usage{0};
}

// Whether no audio of a counted answer has arrived yet. An answer that cannot be measured counts as
// begun.
bool metered_body::awaits_audio() const {
  if (!is_answer()) return false;
  if (!tap_ || tap_->status() == state::undecided) return true;
  return tap_->status() == state::measuring && tap_->used().amount == 0;
}

quota::usage metered_body::if_left() const {
  return awaits_audio() ? estimated_ : so_far();
}

void metered_body::close(quota::stream_end how) {
  using quota::stream_end;
  if (final_) return;
  const bool nobody_was_answered = how == stream_end::client_gone_early ||
                                   how == stream_end::client_gone_waiting ||
                                   how == stream_end::client_gone || how == stream_end::no_answer;
  if (nobody_was_answered && awaits_audio()) final_ = if_left();
  if (final_ || !tap_) return;
  // Seconds counted before the end remain counted, even if the end shows that something is missing.
  const auto counted = so_far();
  tap_->finish();
  const bool still_counted = tap_->status() == state::measuring;
  final_ = still_counted || counted.amount == 0 ? tap_->used() : counted;
  // An upload without a byte may still request work, through its query.
  if (is_upload()) final_->amount = std::max<std::int64_t>(final_->amount, 1);
}

quota::usage metered_body::used() const {
  if (final_ || !tap_ || !is_upload()) return so_far();
  return {std::max<std::int64_t>(tap_->used().amount, 1)};
}

}  // namespace tollgate::proxy
