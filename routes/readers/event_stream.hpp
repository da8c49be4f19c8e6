// Audio in server-sent events (WHATWG HTML, 9.2) whose data is JSON with a member in base64:
//
//     event: speech.audio.delta
//     data: {"type":"speech.audio.delta","audio":"UklGRg…"}
#pragma once

#include <string>

#include "routes/readers/base64.hpp"
#include "routes/readers/json_scanner.hpp"

namespace tollgate::routes::readers {

struct event_stream_settings {
  std::string type;    // of the events that count; empty: all events with the audio member
  json_pointer audio;  // "/audio"
};

// Joins the audio of all events that count. Each event has a base64 text of its own.
//
// The member /type gives an event's type; without it, the `event:` field does. Audio is passed on
// as it arrives, so only what came before it is known: an event with the audio member that has not
// stated its type yet counts.
//
// An event whose data is not JSON is skipped if no audio came in it before, like OpenAI's `[DONE]`.
class event_stream final : public reader, private json_scanner::listener {
 public:
  event_stream(event_stream_settings settings, sink& target);

 private:
  void read(std::string_view piece) override;
  void read_end() override;
  void on_text(std::size_t pointer, std::string_view piece) override;
  void on_text_end(std::size_t pointer) override;
  void on_other(std::size_t pointer) override;

  void read_lines(std::string_view piece);
  void read_field_name(char c);
  void begin_value();
  void read_value(std::string_view piece);
  void end_line();
  void end_event();
  void heed_scanner();
  bool counts() const;

  // Text to compare with the type, kept only up to a length at which it can still be equal.
  class short_text {
   public:
    void clear() { text_.clear(), given_ = false; }
    void begin() { text_.clear(), given_ = true; }
    void set_given() { given_ = true; }
    void add(std::string_view piece, std::size_t longest);
    bool is_given() const { return given_; }
    bool is(std::string_view other) const { return text_ == other; }

   private:
    std::string text_;
    bool given_ = false;
  };

  enum class field : std::uint8_t { data, event, other };
  static constexpr std::size_t audio_pointer = 0, type_pointer = 1;

  event_stream_settings settings_;
  json_scanner scanner_;
  base64_decoder base64_;

  std::size_t bytes_of_mark_ = 0;  // of the byte order mark that may begin a stream
  bool after_cr_ = false;
  field field_ = field::other;
  std::string field_name_;
  bool line_is_empty_ = true, in_value_ = false, value_is_empty_ = true;
  bool has_data_ = false;
  short_text event_name_, type_;
  bool found_in_event_ = false, found_ = false;
};

}  // namespace tollgate::routes::readers
