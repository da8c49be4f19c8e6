// Splits a passing body into server-sent events (WHATWG HTML, 9.2).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "routes/readers/reader.hpp"

namespace tollgate::routes::readers {

// Accepts slices of any size. It keeps an event's name and the start of its data, so its memory is
// constant.
class events : public sink {
 public:
  struct event {
    std::string_view name, data;
    bool whole = true;  // the data was not truncated
  };

  void write(std::string_view piece) final;
  // Data after the last empty line counts as an event: some readers accept it, and if the
  // connection broke, the empty line may have been lost.
  void finish() final;

 protected:
  // Called for events only, not for comments or fields other than name and data.
  virtual void on_event(const event& one) = 0;
  // How much of the next event's data to keep.
  virtual std::size_t data_wanted() const = 0;

 private:
  void begin_value();
  void end_line();
  void end_event();

  static constexpr std::size_t longest_name = 64;
  static constexpr std::size_t longest_field = 6;  // one more than `event:`

  std::string field_, name_, data_;
  enum class place { field, blank, name, data, other } place_ = place::field;
  bool after_cr_ = false, line_has_begun_ = false, has_data_ = false, whole_ = true;
  std::size_t mark_ = 0;  // bytes of the byte order mark that may begin a stream
};

}  // namespace tollgate::routes::readers
