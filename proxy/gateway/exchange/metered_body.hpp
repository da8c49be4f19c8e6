// What a call uses: what was estimated, or the seconds of audio that are counted in one of its
// bodies while it passes. Pure: it sees bytes, and keeps the last of an upload back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/net/http/message.hpp"
#include "quota/charge.hpp"
#include "routes/audio_tap.hpp"
#include "routes/classify.hpp"

namespace tollgate::proxy {

class metered_body {
 public:
  // The call has been priced. Both outlive this object.
  void begin(const routes::route& route, const routes::classified& found);

  // Which of its bodies is counted, if any.
  bool is_upload() const { return kind_ == quota::meter_kind::request_audio; }
  bool is_answer() const { return kind_ == quota::meter_kind::response_audio; }
  const routes::audio_settings& settings() const;

  // From here on that body is counted.
  void tap(const message_head& head);
  bool is_tapped() const { return tap_.has_value(); }
  routes::audio_tap& audio() { return *tap_; }
  const routes::audio_tap& audio() const { return *tap_; }
  bool is_unmeasurable() const;

  // --- the byte that is held back --------------------------------------------------------------
  // What may go up now that `piece` has come: all but its last byte, without which no upstream has
  // the request. With the `last` piece, everything.
  std::string release(std::string_view piece, bool last);
  // Puts bytes behind those that are held back.
  void hold_back(std::string_view bytes) { held_back_.append(bytes); }
  // Likewise in front of them.
  void put_back(std::string_view bytes) { held_back_.insert(0, bytes); }
  const std::string& held_back() const { return held_back_; }
  void forget_held_back() { std::string{}.swap(held_back_); }

  // --- what is charged, if the call is -----------------------------------------------------------
  quota::usage estimated() const { return estimated_; }
  void expect(quota::usage at_most) { estimated_ = at_most; }
  // While it goes on.
  quota::usage so_far() const;
  // Should the client leave now. The upstream works on all that was asked for, so before the first
  // of it has come, that is what was estimated.
  quota::usage if_left() const;
  // No more is counted from here on, for the call has ended so. The first one decides.
  void close(quota::stream_end how);
  // Likewise, at so much.
  void close_at(quota::usage used) { final_ = used; }
  // After close(); and before that where nothing more can come.
  quota::usage used() const;

 private:
  bool awaits_audio() const;

  quota::meter_kind kind_ = quota::meter_kind::none;
  const routes::audio_settings* settings_ = nullptr;
  bool wants_raw_pcm_ = false;
  quota::usage estimated_;
  std::optional<routes::audio_tap> tap_;
  std::optional<quota::usage> final_;
  std::string held_back_;
};

}  // namespace tollgate::proxy
