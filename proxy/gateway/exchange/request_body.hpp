// A request's body: the only loop that reads it, the 100 (Continue) that asks for it, and the part
// of it that is kept in memory.
#pragma once

#include <string>
#include <type_traits>

#include "proxy/gateway/exchange/context.hpp"
#include "proxy/gateway/exchange/kept_memory.hpp"
#include "proxy/gateway/exchange/problems.hpp"

namespace tollgate::proxy {

class request_body {
 public:
  explicit request_body(exchange_context& context) : context_{context} {}

  // The client sends none of it until it is asked to.
  void wait_for_invitation(bool expects_continue) { expects_continue_ = expects_continue; }

  bool done() const { return context_.request.done(); }
  std::uint64_t bytes() const { return bytes_; }  // bytes of it used so far
  void count(std::uint64_t bytes) { bytes_ += bytes; }
  // It was valid as far as it arrived, and then ended too early.
  bool ended_early() const { return ended_early_; }
  std::uint64_t announced() const { return context_.request.content_length().value_or(0); }

  // Whatever more of it comes, it is small.
  bool is_small() const {
    return done() ||
           context_.request.content_length().value_or(kept_memory::small + 1) <= kept_memory::small;
  }

  // The organization whose memory it takes; it outlives this object.
  void belongs_to(const std::string& organization) { owner_ = &organization; }
  // The part before the bytes that are still to be read.
  std::string& kept() { return kept_; }
  const std::string& kept() const { return kept_; }
  void forget_kept();
  kept_memory& memory() { return memory_; }
  // All of it is kept, and is sent with a length of its own.
  bool is_whole() const { return whole_; }
  void set_whole(bool whole) { whole_ = whole; }

  // Keeps it if all of it has arrived with the head: then the call can be repeated.
  void keep_if_here();
  // Reads all of it into kept(): at most `most` bytes, otherwise returns the problem `too_large`.
  // Stops before the end when more than `pause` bytes are kept; a second call continues.
  using size_problem = problem (*)(std::uint64_t most);
  static constexpr std::size_t no_pause = std::string::npos;
  task<result<void, problem>> read_whole(std::size_t most, size_problem too_large,
                                         std::size_t pause = no_pause);
  // Reads it into kept() until `enough` accepts a piece, or more than `most` bytes are kept.
  template <class Enough>
  task<result<void, problem>> gather(std::size_t most, Enough enough) {
    return keep([this, most, enough](std::string_view piece) -> result<bool, problem> {
      return (!piece.empty() && enough(piece)) || kept_.size() > most;
    });
  }
  // Passes every piece to `use`, beginning with the bytes already received, possibly none; a piece
  // lives until `use` has returned. `use` may suspend.
  template <class Use>
  task<result<void, problem>> stream(Use use) {
    return read(purpose::streamed, std::move(use));
  }
  // Reads and drops the rest. False: the connection cannot be used any more.
  task<bool> drain();

  // Sends "100 Continue" to a client that waits for it.
  task<error_code> invite();
  // Whether so little of it remains that the connection can continue after it. A client that waits
  // for 100 (Continue) may send the rest or not, so the next bytes are unknown.
  bool rest_is_worth_reading() const;

 private:
  enum class purpose { kept, streamed, dropped };

  // Appends every piece to the kept ones, and then calls `enough`.
  template <class Enough>
  task<result<void, problem>> keep(Enough enough) {
    const auto take = [this, enough](std::string_view piece) -> result<bool, problem> {
      if (auto room = make_room(piece.size()); !room) return room.error();
      kept_.append(piece);
      return enough(piece);
    };
    if (is_to_be_invited()) return invite_and_read(take);
    return read(purpose::kept, take);
  }
  template <class Use>
  task<result<void, problem>> invite_and_read(Use use) {
    co_await invite();
    expects_continue_ = false;
    co_return co_await read(purpose::kept, std::move(use));
  }
  // In kept().
  result<void, problem> make_room(std::size_t more) {
    const auto needed = kept_.size() + more;
    if (needed <= std::max(kept_.capacity(), kept_memory::uncounted)) return {};
    return grow(needed);
  }
  result<void, problem> grow(std::size_t needed);

  // The loop. `use` takes a piece and returns whether that is enough: result<bool, problem>, or a
  // task of one.
  template <class Use>
  task<result<void, problem>> read(purpose why, Use use);
  result<void, problem> check(const decoded& piece, purpose why);
  task<result<void, problem>> wait(purpose why);
  bool is_to_be_invited() const {
    return expects_continue_ && context_.client.in.empty() && !done();
  }

  exchange_context& context_;
  const std::string* owner_ = nullptr;
  kept_memory memory_;
  std::string kept_;
  std::uint64_t bytes_ = 0;
  std::optional<steady_time> waits_since_{};  // for a small body
  bool expects_continue_ = false, whole_ = false, ended_early_ = false;
};

template <class Use>
task<result<void, problem>> request_body::read(purpose why, Use use) {
  auto& in = context_.client.in;
  while (!done()) {
    const auto received = in.size();
    const auto piece = context_.request.decode(in);
    result<bool, problem> enough = false;
    if (auto sound = check(piece, why); !sound) {
      enough = sound.error();
    } else if constexpr (std::is_same_v<std::invoke_result_t<Use, std::string_view>,
                                        result<bool, problem>>) {
      enough = use(piece.body);
    } else {
      enough = co_await use(piece.body);
    }
    const bool more_came = in.size() > received;  // from a read that was in progress
    // Decoded bytes are consumed on every way out: they must never be taken for the beginning of a
    // next request.
    in.consume(piece.consumed);
    if (!enough) co_return enough.error();
    if (*enough || done()) break;
    if (more_came) continue;
    if (auto came = co_await wait(why); !came) {
      ended_early_ = true;
      co_return came.error();
    }
  }
  co_return result<void, problem>{};
}

}  // namespace tollgate::proxy
