#include "routes/meters/unpackaged.hpp"

#include <algorithm>
#include <array>

#include "routes/meters/adts.hpp"
#include "routes/meters/mp3.hpp"

namespace tollgate::routes::meters {
namespace {

class unpackaged_meter final : public meter {
 public:
  explicit unpackaged_meter(std::unique_ptr<meter> otherwise) : otherwise_{std::move(otherwise)} {}

  void write(std::string_view piece) override {
    for (auto& each : framed_)
      if (each) each->write(piece);
    if (otherwise_) otherwise_->write(piece);
    drop_losers();
  }

  void finish() override {
    for (auto& each : framed_)
      if (each) each->finish();
    if (otherwise_) otherwise_->finish();
    drop_losers();
  }

  state status() const override {
    if (const auto* best = winner()) return best->status();
    return is_open() ? state::undecided : state::unmeasurable;
  }
  duration measured() const override {
    const auto* best = winner() != nullptr ? winner() : otherwise_.get();
    return best != nullptr ? best->measured() : duration{};
  }
  std::string_view container() const override { return winner() ? winner()->container() : ""; }
  std::string_view codec() const override { return winner() ? winner()->codec() : ""; }

 private:
  // Frames that were found are frames, even if they cannot be counted to the end.
  void drop_losers() {
    for (auto& each : framed_) {
      if (!each) continue;
      if (each->has_measured()) otherwise_.reset();
      if (each->status() == state::unmeasurable) each.reset();
    }
  }

  bool is_open() const {
    return std::any_of(framed_.begin(), framed_.end(), [](auto& each) { return each != nullptr; });
  }

  // If a stream is both, the longer counts: players differ, and which one was sure first would
  // depend on how the bytes were split.
  const meter* winner() const {
    const meter* best = is_open() ? nullptr : otherwise_.get();
    for (const auto& each : framed_)
      if (each && each->status() == state::measuring &&
          (best == nullptr || best->measured() < each->measured()))
        best = each.get();
    return best;
  }

  std::array<std::unique_ptr<meter>, 2> framed_{make_mp3_meter(), make_adts_meter()};
  std::unique_ptr<meter> otherwise_;
};

}  // namespace

std::unique_ptr<meter> make_unpackaged_meter(std::unique_ptr<meter> otherwise) {
  return std::make_unique<unpackaged_meter>(std::move(otherwise));
}

}  // namespace tollgate::routes::meters
