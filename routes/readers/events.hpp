// Server-sent events (WHATWG HTML, 9.2), one after the other, as a body that passes brings them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "routes/readers/reader.hpp"

namespace tollgate::routes::readers {

// Takes the bytes in any slices. Of an event it keeps the name and the beginning of the data, so
// its memory is constant.
class events : public sink {
 public:
  struct event {
    std::string_view name, data;
    bool whole = true;  // the data was not longer than was kept
  };

  void write(std::string_view piece) final;
  // What stands behind the last empty line is an event, too: some readers take it for one, and
  // where a connection broke, it is unknown whether the line would have come.
  void finish() final;

 protected:
  // Comments, and fields that are neither names nor data, are no event.
  virtual void on_event(const event& one) = 0;
  // How much of the next event's data is kept.
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
  std::size_t mark_ = 0;  // bytes of the byte order mark that a stream may begin with
};

}  // namespace tollgate::routes::readers
