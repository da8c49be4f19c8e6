// The usage of a call: the estimate, or the seconds of audio counted in one of its bodies as it
// passes. Pure: it sees bytes, and holds back the last byte of an upload.
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
  // The call has been priced. Both arguments outlive this object.
  void begin(const routes::route& route, const routes::classified& found);

  // Which of the call's bodies is counted, if any.
  bool is_upload() const { return kind_ == quota::meter_kind::request_audio; }
  bool is_answer() const { return kind_ == quota::meter_kind::response_audio; }
  const routes::audio_settings& settings() const;

  // Starts counting that body.
  void tap(const message_head& head);
  bool is_tapped() const { return tap_.has_value(); }
  routes::audio_tap& audio() { return *tap_; }
  const routes::audio_tap& audio() const { return *tap_; }
  bool is_unmeasurable() const;

  // --- the byte that is held back --------------------------------------------------------------
  // The bytes that may be sent upstream now that `piece` has arrived: all but the last byte,
  // without which no upstream has the request. With the `last` piece, all of them.
  std::string release(std::string_view piece, bool last);
  // Appends bytes to the held-back ones.
  void hold_back(std::string_view bytes) { held_back_.append(bytes); }
  // Inserts bytes before the held-back ones.
  void put_back(std::string_view bytes) { held_back_.insert(0, bytes); }
  const std::string& held_back() const { return held_back_; }
  void forget_held_back() { std::string{}.swap(held_back_); }

  // --- the usage that is charged, if the call is -------------------------------------------------
  quota::usage estimated() const { return estimated_; }
  void expect(quota::usage at_most) { estimated_ = at_most; }
  // During the call.
  quota::usage so_far() const;
  // The usage if the client left now. The upstream works on everything that was requested, so
  // before the first audio has arrived this is the estimate.
  quota::usage if_left() const;
  // Stops counting, because the call has ended this way. The first call decides.
  void close(quota::stream_end how);
  // Stops counting, with this usage.
  void close_at(quota::usage used) { final_ = used; }
  // After close(); earlier only if nothing more can arrive.
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
