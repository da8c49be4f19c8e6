// One line of JSON per request, collected per thread and written once per tick.
#pragma once

#include <memory>
#include <string>

#include "proxy/gateway/exchange/exchange_record.hpp"
#include "proxy/gateway/log_file.hpp"
#include "quota/clock.hpp"

namespace tollgate::proxy {

class access_log {
 public:
  // `where`: the path of a file, "-" for standard output, or "off". Throws std::runtime_error if
  // the file cannot be opened.
  explicit access_log(const std::string& where);
  ~access_log();
  access_log(const access_log&) = delete;

  // While it cannot be written, so many bytes of lines are kept for later. Further ones are lost.
  static constexpr std::size_t most_kept = 1024 * 1024;

  bool enabled() const { return file_ != nullptr; }
  std::int64_t lost_lines() const { return lost_lines_; }
  void write(const exchange_record& record, quota::time_point now);
  void flush();
  // Reopens the file, after a rotation (SIGHUP). If that fails, throws as well, and continues with
  // the old file.
  void reopen(const std::string& where);

 private:
  void write_times(const exchange_record::durations& took);

  std::shared_ptr<log_file> file_;  // null: off
  std::string lines_;
  std::size_t flush_at_ = 0;  // at this size it is flushed before the next tick
  std::int64_t lost_lines_ = 0;
  int failing_ = 0;  // the error that was logged
};

}  // namespace tollgate::proxy
