// Decides how a call ended, by the head and the body of its answer. A call is charged for an
// answer, not for a status: a 200 may be an event stream that contains only an error.
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

// How the call ends if the answer continues as it began.
quota::stream_end end_by_head(const answer_head& head);

// Watches the body of an accepted answer. It stores nothing, and parses only event streams.
class answer_watch {
 public:
  enum class carried : std::uint8_t { nothing, error, content };

  explicit answer_watch(const answer_head& head);
  ~answer_watch();
  answer_watch(const answer_watch&) = delete;

  void write(std::string_view piece);
  // The content so far: nothing, only an error, or content.
  carried so_far() const;
  // The last event of this kind of stream has come, so the stream is complete.
  bool is_complete() const;

  // How the call ended; `how` is the way its answer ended.
  quota::stream_end judge(quota::stream_end how);

 private:
  class event_watch;
  struct event_chain;

  const bool wants_content_;
  bool any_byte_ = false;
  std::unique_ptr<event_chain> events_;  // for event streams only
};

}  // namespace tollgate::routes
