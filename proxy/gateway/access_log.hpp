// One line of JSON per request, collected per thread and written once per tick.
#pragma once

#include <string>

#include "proxy/gateway/exchange/exchange_record.hpp"
#include "quota/clock.hpp"

namespace tollgate::proxy {

class access_log {
 public:
  // `where`: the path of a file, "-" for standard output, or "off". Throws std::runtime_error if
  // the file cannot be opened.
  explicit access_log(const std::string& where);
  ~access_log();
  access_log(const access_log&) = delete;

  bool enabled() const { return fd_ >= 0; }
  void write(const exchange_record& record, quota::time_point now);
  void flush();
  // Reopens the file, after a rotation (SIGHUP). If that fails, throws as well, and continues with
  // the old file.
  void reopen(const std::string& where);

 private:
  void write_times(const exchange_record::durations& took);
  void close();
  int fd_ = -1;
  std::string lines_;
};

}  // namespace tollgate::proxy
