#include "proxy/cli/standard_output.hpp"

#include <cerrno>
#include <csignal>
#include <iostream>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace tollgate::proxy {

namespace {

// A descriptor that is closed at the start would be given to the next file or connection, and the
// output written into that.
void reserve_standard_descriptors() {
  for (const int each : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(each, F_GETFD) >= 0) continue;
    const int unusable = ::open("/dev/null", each == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    if (unusable >= 0 && unusable != each) ::close(unusable);
  }
}

}  // namespace

standard_output::standard_output() : before_{std::cout.rdbuf()}, buffer_(64 * 1024) {
  reserve_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);  // writing fails instead
  setp(buffer_.data(), buffer_.data() + buffer_.size());
  std::cout.rdbuf(this);
}

standard_output::~standard_output() {
  std::cout.rdbuf(before_);
}

int standard_output::finish(int status) {
  std::cout.flush();
  if (error_ == 0) return status;
  std::cerr << "tollgate: the output cannot be written: " << std::generic_category().message(error_)
            << '\n';
  return status == 0 ? 1 : status;
}

int standard_output::overflow(int character) {
  if (sync() != 0) return traits_type::eof();
  if (traits_type::eq_int_type(character, traits_type::eof()))
    return traits_type::not_eof(character);
  return sputc(traits_type::to_char_type(character));
}

int standard_output::sync() {
  const char* from = pbase();
  while (from != pptr() && error_ == 0) {
    const auto written = ::write(STDOUT_FILENO, from, static_cast<std::size_t>(pptr() - from));
    if (written >= 0) {
      from += written;
    } else if (errno != EINTR) {
      error_ = errno;
    }
  }
  setp(buffer_.data(), buffer_.data() + buffer_.size());
  return error_ == 0 ? 0 : -1;
}

}  // namespace tollgate::proxy
