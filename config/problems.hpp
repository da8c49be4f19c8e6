// Collects the problems of a configuration instead of throwing: a file with five mistakes gets five
// messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "routes/settings.hpp"

namespace tollgate::config {

using routes::source_position;

class problems {
 public:
  struct entry {
    source_position at;
    std::string message;
  };

  void add(source_position at, std::string message);
  bool empty() const { return found_.empty(); }
  std::size_t count() const { return found_.size() + beyond_; }

  // Sorted by position. A message that occurs twice at one position (an alias is read twice) is
  // listed once. Beyond `most` problems, a last entry gives the number of the others.
  std::vector<entry> sorted() const;
  static constexpr std::size_t most = 1000;

 private:
  std::vector<entry> found_;
  std::size_t beyond_ = 0;
};

// Text from the file for a message: in quotes, control characters escaped, truncated to 80 bytes.
std::string quoted(std::string_view text);

}  // namespace tollgate::config
