#include "proxy/gateway/access_log.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <spdlog/fmt/chrono.h>
#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include "routes/text.hpp"

namespace tollgate::proxy {

namespace {

constexpr std::size_t flush_bytes = 64 * 1024;

void member(std::string& out, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  out.append(",\"").append(name).append("\":");
  routes::append_json_string(out, text);
}

void member(std::string& out, std::string_view name, std::int64_t number) {
  fmt::format_to(std::back_inserter(out), ",\"{}\":{}", name, number);
}

}  // namespace

access_log::access_log(const std::string& where) : flush_at_{flush_bytes} {
  reopen(where);
}

access_log::~access_log() {
  flush();
}

void access_log::reopen(const std::string& where) {
  auto fresh = where == "off" ? nullptr : log_file::open(where);
  flush();
  file_ = std::move(fresh);
  if (!file_) lines_.clear();
}

void access_log::write(const exchange_record& record, quota::time_point now) {
  if (!enabled()) return;
  const auto day = std::chrono::floor<std::chrono::seconds>(now);
  fmt::format_to(std::back_inserter(lines_), "{{\"time\":\"{:%Y-%m-%dT%H:%M:%S}.{:03d}Z\"", day,
                 (now - day).count());
  member(lines_, "request_id", record.request_id);
  member(lines_, "client", record.peer);
  member(lines_, "org", record.who.org);
  member(lines_, "key", record.who.key_id);
  member(lines_, "method", record.method);
  member(lines_, "path", record.path);
  member(lines_, "route", record.who.route);
  member(lines_, "action", record.who.action);
  member(lines_, "model", record.who.model);
  member(lines_, "agent", record.who.agent);
  member(lines_, "conversation", record.who.conversation);
  member(lines_, "status", record.status);
  if (record.refusal) {
    const bool refused = routes::is_refusal(*record.refusal);
    member(lines_, refused ? "refused" : "error", routes::to_string(*record.refusal));
  } else {
    member(lines_, "end", quota::to_string(record.end));
  }
  if (record.failure.cause != upstream_cause::none) {
    member(lines_, "upstream_failure", to_string(record.failure.cause));
  }
  fmt::format_to(std::back_inserter(lines_), ",\"credits\":{}", to_string(record.money.charged));
  if (record.money.audio_us) {
    fmt::format_to(std::back_inserter(lines_), ",\"audio_seconds\":{}.{:06d}",
                   *record.money.audio_us / 1'000'000, *record.money.audio_us % 1'000'000);
  }
  if (record.money.unmeasurable) lines_.append(",\"unmeasurable\":true");
  if (record.money.beyond_balance) lines_.append(",\"beyond_balance\":true");
  member(lines_, "bytes_in", static_cast<std::int64_t>(record.bytes_in));
  member(lines_, "bytes_out", static_cast<std::int64_t>(record.bytes_out));
  write_times(record.took);
  lines_.append("}\n");
  if (lines_.size() >= flush_at_) flush();
}

// The parts that the call did not have are left out.
void access_log::write_times(const exchange_record::durations& took) {
  member(lines_, "total_us", took.total_us);
  if (took.key_us != 0) member(lines_, "key_us", took.key_us);
  if (took.request_us != 0) member(lines_, "request_us", took.request_us);
  member(lines_, "store_us", took.store_us);
  if (took.connect_us != 0) member(lines_, "connect_us", took.connect_us);
  member(lines_, "upstream_us", took.upstream_us);
  member(lines_, "response_us", took.response_us);
  member(lines_, "overhead_us", took.overhead_us);
}

// A full disk or a slow or closed pipe delays log lines, and may cost some, but no requests.
void access_log::flush() {
  if (lines_.empty() || !file_) return;
  const int why = file_->write(lines_);
  if (why != failing_) {
    if (why != 0 && why != EAGAIN) {
      spdlog::error("the access log cannot be written: {}", std::generic_category().message(why));
    } else if (failing_ != 0 && failing_ != EAGAIN) {
      spdlog::info("the access log can be written again");
    }
    failing_ = why;
  }
  if (lines_.size() > most_kept) {
    lost_lines_ += std::count(lines_.begin(), lines_.end(), '\n');
    lines_.clear();
  }
  flush_at_ = lines_.size() + flush_bytes;
}

}  // namespace tollgate::proxy
