// What became of a call by what its answer says: by the head, and by what the body carried. A call
// is charged for an answer, not for a status: an answer of 200 may be a stream of events that tells
// of nothing but an error.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "quota/charge.hpp"

namespace tollgate::routes {

struct answer_head {
  int status = 0;
  std::string_view method;  // of the request
  std::string_view content_type{}, content_encoding{};
  bool has_body = true;
};

// How the call ends if the answer goes on as it began.
quota::stream_end end_by_head(const answer_head& head);

// Watches the body of an answer that was accepted. Nothing of it is kept, and of anything but a
// stream of events nothing is read.
class answer_watch {
 public:
  enum class carried : std::uint8_t { nothing, error, content };

  explicit answer_watch(const answer_head& head);
  ~answer_watch();
  answer_watch(const answer_watch&) = delete;

  void write(std::string_view piece);
  // It is told so far: nothing, only of an error, or something that was asked for.
  carried so_far() const;
  // The event came by which its kind of stream says that it is complete.
  bool is_complete() const;

  // How the call ended, by `how` the answer did.
  quota::stream_end judge(quota::stream_end how);

 private:
  class event_watch;
  struct event_chain;

  const bool wants_content_;
  bool any_byte_ = false;
  std::unique_ptr<event_chain> events_;  // of a stream of events only
};

}  // namespace tollgate::routes
