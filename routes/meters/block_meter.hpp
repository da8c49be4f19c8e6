// The base class of every container parser. It turns slices of any size into blocks of the size
// that the parser asks for.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

// The size of a chunk that does not state its length.
inline constexpr std::uint64_t to_the_end = ~std::uint64_t{0};

// A parser derives from this class, states how many bytes it needs next (`need`) or wants to skip
// (`skip`), and receives them in `parse`. `Capacity` is the maximum it may ever need at once: all
// of its memory. A parser that may repeatedly need a large block to advance by one byte sets
// `Spare` to the same size: then the buffer takes as many bytes as are available and is not moved
// for every byte.
template <std::size_t Capacity, std::size_t Spare = 0>
class block_meter : public meter {
 public:
  void write(std::string_view piece) final {
    seen_ += piece.size();
    while (!stopped_) {
      if (kept_ >= needed_) {
        show_kept();
      } else if (piece.empty()) {
        break;
      } else if (skipping_ > 0) {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(skipping_, piece.size()));
        skipping_ -= n;
        piece.remove_prefix(n);
      } else if (kept_ == 0 && piece.size() >= needed_) {
        piece.remove_prefix(show(piece));
      } else {
        auto n = needed_ - kept_;
        if constexpr (Spare > 0) n = std::max(n, std::min(kept_, Capacity + Spare - kept_));
        n = std::min(n, piece.size());
        std::memcpy(kept_bytes_.data() + kept_, piece.data(), n);
        kept_ += n;
        piece.remove_prefix(n);
      }
    }
  }

  state status() const override { return status_; }
  bool has_measured() const override { return has_measured_; }

 protected:
  // Receives the next bytes: at least as many as requested, and more if they are available; the
  // result must not depend on how many more. Returns the number of bytes consumed; the rest is
  // passed again. It may consume none only when it needs more than `block` contains. For speed,
  // consume as much of a long block as possible.
  virtual std::size_t parse(std::string_view block) = 0;

  // How many bytes the next call of parse() must receive: 1 to Capacity.
  void need(std::size_t n) { needed_ = std::clamp<std::size_t>(n, 1, Capacity); }
  // Skips bytes before the next call of parse(). They may never arrive.
  void skip(std::uint64_t n) { skipping_ += n; }
  // Ignores all further input.
  void stop(state final) {
    set_status(final);
    stopped_ = true;
  }
  void set_status(state now) {
    status_ = now;
    has_measured_ = has_measured_ || now == state::measuring;
  }

  // The bytes received so far of the block that parse() waits for. For finish().
  std::string_view incomplete() const { return {kept_bytes_.data(), kept_}; }
  std::uint64_t bytes_seen() const { return seen_; }

 private:
  std::size_t show(std::string_view block) {
    const auto used = std::min(parse(block), block.size());
    const bool stands_still = used == 0 && skipping_ == 0 && needed_ <= block.size();
    return stands_still ? 1 : used;
  }

  void show_kept() {
    drop(show({kept_bytes_.data(), kept_}));
    const auto n = std::min<std::uint64_t>(skipping_, kept_);
    drop(static_cast<std::size_t>(n));
    skipping_ -= n;
  }

  void drop(std::size_t n) {
    kept_ -= n;
    std::memmove(kept_bytes_.data(), kept_bytes_.data() + n, kept_);
  }

  std::array<char, Capacity + Spare> kept_bytes_;
  std::size_t kept_ = 0, needed_ = 1;
  std::uint64_t skipping_ = 0, seen_ = 0;
  state status_ = state::undecided;
  bool stopped_ = false, has_measured_ = false;
};

}  // namespace tollgate::routes::meters
