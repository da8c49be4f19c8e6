// std::cout of a command. Unlike the library's own buffer it knows why the output could not be
// written: a full disk, a closed pipe, a closed descriptor.
#pragma once

#include <streambuf>
#include <string>
#include <vector>

namespace tollgate::proxy {

// While it lives, std::cout writes with it.
class standard_output final : public std::streambuf {
 public:
  standard_output();
  ~standard_output() override;

  // Writes the rest. The exit status of a command that would end with `status`: its output is part
  // of its work, so one that cannot be written ends with an error, and says so.
  int finish(int status);

 protected:
  int overflow(int character) override;
  int sync() override;

 private:
  std::streambuf* const before_;
  std::vector<char> buffer_;
  int error_ = 0;  // the first one
};

}  // namespace tollgate::proxy
