// Any split of the same bytes gives the same answer, and there is one.
#include <algorithm>

#include "routes/meters/adts.hpp"
#include "routes/meters/aiff.hpp"
#include "routes/meters/amr.hpp"
#include "routes/meters/mp3.hpp"
#include "routes/meters/raw_pcm.hpp"
#include "routes/meters/sniff.hpp"
#include "routes/meters/wav.hpp"
#include "tests/fuzz/input.hpp"

using namespace tollgate::routes::meters;
using tollgate::fuzz::require;

namespace {

std::unique_ptr<meter> make(char which) {
  switch (which) {
    case 'm':
      return make_mp3_meter();
    case 'd':
      return make_adts_meter();
    case 'i':
      return make_aiff_meter();
    case 'r':
      return make_amr_meter();
    case 'p':
      return make_raw_pcm_meter({8000, 1, 2});
    case 's':
      return make_audio_meter({pcm_format{8000, 1, 2}});
    case 'n':
      return make_audio_meter({});
    default:
      return make_wav_meter();
  }
}

// Pieces as long as the bytes of `cuts` say, over and over.
void feed(meter& m, std::string_view bytes, std::string_view cuts) {
  for (std::size_t i = 0; !bytes.empty(); ++i) {
    const auto n =
        std::min<std::size_t>(1 + static_cast<std::uint8_t>(cuts[i % cuts.size()]), bytes.size());
    m.write(bytes.substr(0, n));
    bytes.remove_prefix(n);
  }
  m.finish();
}

void compare(const meter& a, const meter& b) {
  require(a.status() == b.status(), "a split changes no status");
  require(a.measured() == b.measured(), "a split changes no length");
  require(a.container() == b.container() && a.codec() == b.codec(), "a split changes no codec");
}

}  // namespace

// The first line names the meter and says how to cut. The rest is fed up to eight times over, so
// that frames come into step, or 17 times, so that junk becomes more than is looked through.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tollgate::fuzz::input in{data, size};
  const auto how = in.line();
  if (how.size() < 2) return 0;
  const auto cuts = how.substr(1);
  std::string bytes;
  const int times = (how[1] & 0x78) == 0x78 ? 17 : (how[1] & 7) + 1;
  for (int i = 0; i < times; ++i) bytes += in.rest();

  const auto whole = make(how[0]), split = make(how[0]), single = make(how[0]);
  whole->write(bytes);
  whole->finish();
  feed(*split, bytes, cuts);
  feed(*single, bytes, std::string_view{"\0", 1});
  compare(*whole, *split);
  compare(*whole, *single);
  require(whole->status() != state::undecided, "after the end it is clear");
  return 0;
}
