// Everything wrong with a configuration, collected instead of thrown: a file with five mistakes is
// answered with five messages.
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

  // By position; what stands at one place twice (an alias read twice) is said once. A file that is
  // wrong in more than `most` ways gets one last entry that says how many more.
  std::vector<entry> sorted() const;
  static constexpr std::size_t most = 1000;

 private:
  std::vector<entry> found_;
  std::size_t beyond_ = 0;
};

// Text from the file as it may stand in a message: in quotes, control characters escaped, cut after
// 80 bytes.
std::string quoted(std::string_view text);

}  // namespace tollgate::config
