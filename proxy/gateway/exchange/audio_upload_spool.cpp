// Uploads that are kept in a file until they can be measured: an MP4 whose index is at the end can
// be measured only once it is complete. Then it is read a second time, all of it is held, and it is
// sent from the file.
#include <algorithm>
#include <array>
#include <limits>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <spdlog/spdlog.h>

#include "proxy/gateway/exchange/audio_upload.hpp"

namespace tollgate::proxy {

namespace {

constexpr std::size_t piece_bytes = 64 * 1024;
// The share of one organization in the total space: at least this many organizations always find
// some.
constexpr std::uint64_t organizations_at_least = 4;
// How long receiving a kept upload may take in all, as a multiple of the time for one read.
constexpr int reads_worth_of_time = 30;

problem too_large_to_keep(std::uint64_t most) {
  return {
      problem_code::body_too_large,
      "This audio can be measured only when all of it has come, and it is larger than the " +
          std::to_string(most) +
          " bytes that are kept of such an upload. Nothing was charged. A file whose index stands "
          "in front of the samples (\"fast start\") needs not be kept.",
      {},
      {}};
}

}  // namespace

problem no_room_for_upload(std::string_view why) {
  return {
      problem_code::overloaded,
      "This audio can be measured only when all of it has come, and there is no room to keep it "
      "meanwhile (" +
          std::string{why} + "). Nothing was charged; try again shortly.",
      std::chrono::seconds{5},
      {}};
}

bool audio_upload::may_keep() const {
  return metered_.audio().needs_all() && context_.settings().spool.upload_bytes > 0;
}

// Only for callers that may call at all and have credits for the least that it can cost, and only
// for a limited time.
task<result<void, problem>> audio_upload::keep_all(const time_setter& allow) {
  using std::chrono::milliseconds;
  if (auto held = co_await hold_.reserve(call_); !held) co_return held;
  const auto& timeouts = context_.settings().timeouts;
  const milliseconds total = timeouts.total, most = timeouts.client_body * reads_worth_of_time;
  allow(total.count() == 0 ? most : std::min(total, most));
  auto kept = co_await fill_spool();
  if (!kept || context_.timed_out) co_return kept;
  const milliseconds spent{us_between(context_.started, std::chrono::steady_clock::now()) / 1000};
  constexpr milliseconds at_once{1};
  allow(total.count() == 0 ? total : std::max(total - spent, at_once));
  co_return result<void, problem>{};
}

task<result<void, problem>> audio_upload::fill_spool() {
  const auto& [directory, upload, total] = context_.settings().spool;
  const auto organization = std::max(total / organizations_at_least, upload);
  spool_.emplace(spool_bounds{directory, upload, total, organization}, spool_space::shared(),
                 call_.payer.org);
  if (auto kept = keep(); !kept) co_return kept;
  if (!body_.kept().empty()) co_return result<void, problem>{};
  auto& tap = metered_.audio();
  result<void, problem> kept;
  const auto piece_came = [&](std::string_view piece) {
    tap.write(piece);
    kept = count_memory();
    if (kept) kept = keep();
    return !kept || !body_.kept().empty() || !tap.needs_all();
  };
  // One read at a time, so that kept() holds only the bytes just received.
  constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();
  if (auto read = co_await body_.gather(no_limit, piece_came); !read) co_return read;
  co_return kept;
}

// Moves the bytes in memory to the file. If there is no room for them and nothing may be refused,
// they stay in memory, and the upload continues as one that cannot be measured.
result<void, problem> audio_upload::keep() {
  const auto outcome = spool_->append(body_.kept());
  if (outcome == spool_outcome::kept) body_.kept().clear();
  if (outcome == spool_outcome::kept) return {};
  const auto& settings = context_.settings().spool;
  if (outcome == spool_outcome::failed) {
    spdlog::error("cannot keep an upload in {}: {}", settings.directory, spool_->why());
    return no_room_for_upload("its disk");
  }
  if (estimates_unmeasurable()) return {};
  if (outcome == spool_outcome::too_large) return too_large_to_keep(settings.upload_bytes);
  return no_room_for_upload(
      outcome == spool_outcome::share_taken
          ? "other uploads of this organization take its share of audio.spool.total"
          : "other uploads take all of audio.spool.total");
}

// Reads the whole upload again, one piece at a time, so that other calls of this thread can run in
// between.
task<result<void, problem>> audio_upload::read_again() {
  auto& tap = metered_.audio();
  if (!tap.wants_second_reading()) co_return result<void, problem>{};
  const auto executor = co_await asio::this_coro::executor;
  tap.begin_second_reading();
  std::array<char, piece_bytes> buffer;
  for (std::uint64_t at = 0; spool_ && at < spool_->size();) {
    const auto piece = spool_->read(at, buffer);
    if (!piece || piece->empty()) {
      spdlog::error("cannot read an upload that was kept: {}",
                    piece ? "it is shorter than it was" : piece.error().message());
      co_return no_room_for_upload("its disk");
    }
    tap.write(*piece);
    at += piece->size();
    co_await asio::post(executor, use_task);
  }
  tap.write(body_.kept());
  tap.finish();
  co_return result<void, problem>{};
}

}  // namespace tollgate::proxy
