#include "routes/meters/unpackaged.hpp"

#include "routes/meters/adts.hpp"
#include "routes/meters/mp3.hpp"

namespace tollgate::routes::meters {
namespace {

class unpackaged_meter final : public meter {
 public:
  explicit unpackaged_meter(std::unique_ptr<meter> otherwise) : otherwise_{std::move(otherwise)} {}

  void write(std::string_view piece) override {
    if (winner_ != nullptr) return winner_->write(piece);
    for (auto* each : {mp3_.get(), adts_.get(), otherwise_.get()})
      if (each != nullptr) each->write(piece);
    decide();
  }

  void finish() override {
    if (winner_ != nullptr) return winner_->finish();
    for (auto* each : {mp3_.get(), adts_.get(), otherwise_.get()})
      if (each != nullptr) each->finish();
    decide();
  }

  state status() const override {
    if (is_lost_) return state::unmeasurable;
    return winner_ != nullptr ? winner_->status() : state::undecided;
  }
  duration measured() const override {
    const auto* guess = winner_ != nullptr ? winner_ : otherwise_.get();
    return guess != nullptr ? guess->measured() : duration{};
  }
  std::string_view container() const override {
    return winner_ != nullptr ? winner_->container() : "";
  }
  std::string_view codec() const override { return winner_ != nullptr ? winner_->codec() : ""; }

 private:
  void decide() {
    const auto mp3 = mp3_->status(), adts = adts_->status();
    if (mp3 == state::measuring) return declare(mp3_.get());
    if (adts == state::measuring) return declare(adts_.get());
    if (mp3 == state::undecided || adts == state::undecided) return;
    if (otherwise_ != nullptr) return declare(otherwise_.get());
    is_lost_ = true;
  }

  void declare(meter* winner) {
    winner_ = winner;
    for (auto* each : {&mp3_, &adts_, &otherwise_})
      if (each->get() != winner) each->reset();
  }

  std::unique_ptr<meter> mp3_ = make_mp3_meter(), adts_ = make_adts_meter(), otherwise_;
  meter* winner_ = nullptr;
  bool is_lost_ = false;
};

}  // namespace

std::unique_ptr<meter> make_unpackaged_meter(std::unique_ptr<meter> otherwise) {
  return std::make_unique<unpackaged_meter>(std::move(otherwise));
}

}  // namespace tollgate::routes::meters
