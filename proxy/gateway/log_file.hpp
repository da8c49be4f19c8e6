// The file, pipe or terminal that receives the access log. Several threads share it: their lines
// are written whole, one after the other, also into a pipe.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace tollgate::proxy {

class log_file {
 public:
  // "-" is standard output. Returns the same object while it is the same file; after a rotation the
  // path is another one. Throws std::runtime_error if it cannot be opened.
  static std::shared_ptr<log_file> open(const std::string& where);
  explicit log_file(int descriptor) : descriptor_{descriptor} {}
  ~log_file();
  log_file(const log_file&) = delete;

  // Writes complete lines and removes them from `lines`. What cannot be written now (a full disk, a
  // reader that is slow or gone) stays; the rest of a line of which a part was written is kept here
  // and precedes everything else. Returns 0, or the error.
  int write(std::string& lines);

 private:
  int write_some(std::string& text);

  std::mutex writing_;
  const int descriptor_;
  std::string rest_of_line_;
  bool cut_ = false;  // the last write ended within a line
};

}  // namespace tollgate::proxy
