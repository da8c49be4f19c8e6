// The part of an exchange that keeps an upload in a file until it can be measured: of an MP4 whose
// index stands at the end, that is when all of it has come. Then it is read a second time, all of
// it is held, and it goes up from the file.
#include <algorithm>
#include <array>
#include <limits>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "proxy/gateway/exchange/exchange_parts.hpp"
#include "proxy/net/relay.hpp"

namespace tollgate::proxy {

namespace {

constexpr std::size_t piece_bytes = 64 * 1024;
// What one organization may take of the room for all: so many of them always find some.
constexpr std::uint64_t organizations_at_least = 4;
// How long all of an upload may take that is kept, in times that one read of it may.
constexpr int reads_worth_of_time = 30;

problem no_room(std::string_view why) {
  return {
      problem_code::overloaded,
      "This audio can be measured only when all of it has come, and there is no room to keep it "
      "meanwhile (" +
          std::string{why} + "). Nothing was charged; try again shortly.",
      std::chrono::seconds{5},
      {}};
}

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

bool exchange::may_spool() const {
  return tap_->needs_all() && settings().spool.upload_bytes > 0;
}

// Only of who may call at all, and has credits for the least that it can cost; and not for long.
task<exchange::verdict> exchange::keep_upload() {
  if (auto refused = co_await reserve()) co_return refused;
  const auto& timeouts = settings().timeouts;
  const auto total = timeouts.total, most = timeouts.client_body * reads_worth_of_time;
  worker_.deadlines().arm(*this, total.count() == 0 ? most : std::min(total, most));
  auto refused = co_await spool_upload();
  if (refused || total_timeout_) co_return refused;
  const auto spent = std::chrono::milliseconds{us_between(started_, steady_clock::now()) / 1000};
  constexpr std::chrono::milliseconds at_once{1};
  worker_.deadlines().arm(*this, total.count() == 0 ? total : std::max(total - spent, at_once));
  co_return verdict{};
}

task<exchange::verdict> exchange::spool_upload() {
  const auto& [directory, upload, total] = settings().spool;
  const auto organization = std::max(total / organizations_at_least, upload);
  spool_.emplace(spool_bounds{directory, upload, total, organization}, spool_space::shared(),
                 payer());
  if (auto refused = keep(body_)) co_return refused;
  if (!body_.empty()) co_return verdict{};
  verdict problem;
  const auto piece_came = [&](std::string_view piece) {
    tap_->write(piece);
    problem = keep(piece);
    const bool kept = body_.empty();
    return problem.has_value() || !kept || !tap_->needs_all();
  };
  // One read at a time, so that `body_` holds nothing but what has just come.
  constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();
  if (auto refused = co_await gather_body(no_limit, piece_came)) co_return refused;
  co_return problem;
}

// `piece` is what stands in `body_`. Where there is no room for it and nothing may be refused, it
// stays there, and the upload goes on as one that cannot be measured.
exchange::verdict exchange::keep(std::string_view piece) {
  const auto outcome = spool_->append(piece);
  if (outcome == spool_outcome::kept) body_.clear();
  if (outcome == spool_outcome::kept) return {};
  if (outcome == spool_outcome::failed) {
    spdlog::error("cannot keep an upload in {}: {}", settings().spool.directory, spool_->why());
    return no_room("its disk");
  }
  if (estimates_unmeasurable()) return {};
  if (outcome == spool_outcome::too_large) return too_large_to_keep(settings().spool.upload_bytes);
  return no_room(outcome == spool_outcome::share_taken
                     ? "other uploads of this organization take its share of audio.spool.total"
                     : "other uploads take all of audio.spool.total");
}

// The whole upload once more, a piece at a time: other calls of this thread go on meanwhile.
task<exchange::verdict> exchange::read_upload_again() {
  if (!tap_->wants_second_reading()) co_return verdict{};
  tap_->begin_second_reading();
  std::array<char, piece_bytes> buffer;
  for (std::uint64_t at = 0; spool_ && at < spool_->size();) {
    const auto piece = spool_->read(at, buffer);
    if (!piece || piece->empty()) {
      spdlog::error("cannot read an upload that was kept: {}",
                    piece ? "it is shorter than it was" : piece.error().message());
      co_return no_room("its disk");
    }
    tap_->write(*piece);
    at += piece->size();
    co_await asio::post(worker_.executor(), use_task);
  }
  tap_->write(body_);
  tap_->finish();
  co_return verdict{};
}

// Everything that was kept. Its last byte goes last: without it no upstream has the request, and
// that it goes is written down before. False: nothing more is to be sent.
task<bool> exchange::send_spooled(std::string& head) {
  chunk_frame frame{request_framing_ == framing::chunked, &runtime_->owned_of(record_.route)};
  std::array<char, piece_bytes> buffer;
  for (std::uint64_t at = 0; at < spool_->size();) {
    const auto piece = spool_->read(at, buffer);
    if (!piece || piece->empty()) {
      body_problem_ = no_room("its disk");
      up_->io.close();
      co_return false;
    }
    at += piece->size();
    auto bytes = *piece;
    if (at == spool_->size()) {
      body_.insert(0, 1, bytes.back());
      bytes.remove_suffix(1);
    }
    if (bytes.empty()) continue;
    await_upstream(true);
    const auto ec = co_await up_->io.write(frame.around(head, bytes, false, request_.trailers()));
    head.clear();
    if (ec) {
      keep_client_ = false;
      co_return false;
    }
  }
  spool_.reset();  // the answer may stream for long
  if (!request_.done()) co_return true;
  const auto ec = co_await write_last(frame.around(head, body_, true, request_.trailers()), 1);
  head.clear();
  request_was_sent_ = !ec;
  if (request_was_sent_) client_.watch(settings().limits.head_bytes);
  co_return false;
}

}  // namespace tollgate::proxy
