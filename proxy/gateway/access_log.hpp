// One JSON line a request, gathered per thread and written once a tick.
#pragma once

#include <string>

#include "proxy/gateway/exchange/exchange_record.hpp"
#include "quota/clock.hpp"

namespace tollgate::proxy {

class access_log {
 public:
  // A file's path, "-" for standard output, "off". Throws std::runtime_error where it cannot be
  // opened.
  explicit access_log(const std::string& where);
  ~access_log();
  access_log(const access_log&) = delete;

  bool enabled() const { return fd_ >= 0; }
  void write(const exchange_record& record, quota::time_point now);
  void flush();
  // Opens the file anew: after a rotation (SIGHUP). Throws, too, and then goes on with the old one.
  void reopen(const std::string& where);

 private:
  void close();
  int fd_ = -1;
  std::string lines_;
};

}  // namespace tollgate::proxy
