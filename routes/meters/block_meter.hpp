// The base of every container parser: blocks of the size it asks for, out of slices of any size.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

// The size of a chunk that does not say how long it is.
inline constexpr std::uint64_t to_the_end = ~std::uint64_t{0};

// A parser derives from this, says how many bytes it needs next (`need`) or can do without
// (`skip`), and gets them in `parse`. `Capacity` is the most it may ever need at once: its whole
// memory. One that may need much to get on by a byte, again and again, has as much to `Spare`: what
// is kept then grows by as much as there is, and is not moved for every byte.
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

 protected:
  // The next bytes: at least as many as were asked for, and more when they are there anyway; what
  // is made of them must not depend on how many more. Returns how many are used up; what is not
  // used up is shown again. None may be used up only when more than `block` holds is asked for. Use
  // as much of a long block as you can: that is what makes a meter fast.
  virtual std::size_t parse(std::string_view block) = 0;

  // How many bytes the next call of parse() wants to see: 1 to Capacity.
  void need(std::size_t n) { needed_ = std::clamp<std::size_t>(n, 1, Capacity); }
  // Passes over bytes without looking at them, before the next call of parse(). They may never
  // come.
  void skip(std::uint64_t n) { skipping_ += n; }
  // Ignores all that follows.
  void stop(state final) {
    status_ = final;
    stopped_ = true;
  }
  void set_status(state now) { status_ = now; }

  // What has come of the block that parse() still waits for; for finish().
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
  bool stopped_ = false;
};

}  // namespace tollgate::routes::meters
