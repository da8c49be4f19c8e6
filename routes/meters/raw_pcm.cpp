#include "routes/meters/raw_pcm.hpp"

#include "routes/meters/block_layout.hpp"

namespace tollgate::routes::meters {
namespace {

class raw_pcm_meter final : public meter {
 public:
  explicit raw_pcm_meter(pcm_format format)
      : layout_{block_layout::pcm(format.rate, format.channels, format.bytes_per_sample)} {}

  void write(std::string_view piece) override { bytes_ += piece.size(); }
  void finish() override {}
  state status() const override { return layout_.sound() ? state::measuring : state::unmeasurable; }
  duration measured() const override { return layout_.of_bytes(bytes_); }
  std::string_view container() const override { return "raw"; }
  std::string_view codec() const override { return "pcm"; }

 private:
  block_layout layout_;
  std::uint64_t bytes_ = 0;
};

}  // namespace

std::unique_ptr<meter> make_raw_pcm_meter(pcm_format format) {
  return std::make_unique<raw_pcm_meter>(format);
}

}  // namespace tollgate::routes::meters
