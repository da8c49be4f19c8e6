// An upload that is priced by its seconds: what is known before anything is sent, the part that is
// kept in a file until it can be measured, and the part that may be sent upstream.
#pragma once

#include <memory>

#include "proxy/gateway/exchange/call.hpp"
#include "proxy/gateway/exchange/context.hpp"
#include "proxy/gateway/exchange/held_charge.hpp"
#include "proxy/gateway/exchange/request_body.hpp"
#include "proxy/gateway/spool.hpp"

namespace tollgate::proxy {

class audio_upload {
 public:
  audio_upload(exchange_context& context, const call& call, request_body& body,
               metered_body& metered, held_charge& hold)
      : context_{context}, call_{call}, body_{body}, metered_{metered}, hold_{hold} {}

  // Before anything is sent: reads until it is clear that this is audio, and holds its price, or
  // the least that it can cost. A short upload is complete then, and the hold is exact. `allow`
  // sets how long the exchange may take from now on; zero: no limit.
  using time_setter = std::function<void(std::chrono::milliseconds)>;
  task<result<void, problem>> begin(time_setter allow);

  // One more piece, before it is sent upstream. A problem ends the call.
  task<result<void, problem>> pass(std::string_view piece);
  // The upload was refused for its contents or its price, so it was never sent completely.
  bool was_refused() const { return refused_; }

  // The kept part, which is sent before the held-back bytes.
  const spool* kept() const { return spool_ ? &*spool_ : nullptr; }
  void forget_kept() { spool_.reset(); }

 private:
  task<result<void, problem>> hold_what_came();
  result<void, problem> check() const;
  // Takes the memory of the tap, which grows with the upload, from the budget.
  result<void, problem> count_memory();
  result<void, problem> meter(std::string_view piece);
  task<result<void, problem>> cover();
  bool estimates_unmeasurable() const;

  bool may_keep() const;
  task<result<void, problem>> keep_all(const time_setter& allow);
  task<result<void, problem>> fill_spool();
  result<void, problem> keep();
  task<result<void, problem>> read_again();

  exchange_context& context_;
  const call& call_;
  request_body& body_;
  metered_body& metered_;
  held_charge& hold_;
  std::optional<spool> spool_;
  kept_memory index_;  // of an MP4
  bool refused_ = false;
};

problem no_room_for_upload(std::string_view why);

}  // namespace tollgate::proxy
