#include "routes/meters/vorbis.hpp"

#include "routes/meters/ogg.hpp"
#include "tests/unit/routes/meters/ogg_pages.hpp"

namespace tollgate::routes::meters {
namespace {

// The least significant bit first.
class bit_writer {
 public:
  bit_writer& put(std::uint64_t value, unsigned bits) {
    for (unsigned i = 0; i < bits; ++i, ++count_) {
      if (count_ % 8 == 0) bytes_ += '\0';
      bytes_.back() =
          static_cast<char>(bytes_.back() | ((i < 64 ? value >> i : 0) & 1) << count_ % 8);
    }
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  unsigned count_ = 0;
};

// Two channels: a codebook of each kind, a floor of each, a residue, a mapping, and these modes.
std::string setup(const std::vector<bool>& long_modes) {
  bit_writer out;
  for (const char c : std::string_view{"\x05vorbis"}) out.put(static_cast<unsigned char>(c), 8);
  out.put(4 - 1, 8);
  // Unordered and dense; no vectors.
  out.put(0x564342, 24).put(1, 16).put(3, 24).put(0, 2);
  for (int i = 0; i < 3; ++i) out.put(i, 5);
  out.put(0, 4);
  // Unordered and sparse; vectors of the first kind: two values, as 2 * 2 <= 5 < 3 * 3.
  out.put(0x564342, 24).put(2, 16).put(5, 24).put(0, 1).put(1, 1);
  for (int i = 0; i < 5; ++i) i % 2 == 0 ? out.put(1, 1).put(7, 5) : out.put(0, 1);
  out.put(1, 4).put(1, 32).put(2, 32).put(6 - 1, 4).put(0, 1).put(0x5A5, 2 * 6);
  // Ordered; vectors of the second kind.
  out.put(0x564342, 24).put(2, 16).put(6, 24).put(1, 1).put(1, 5);
  out.put(2, 3).put(4, 3);
  out.put(2, 4).put(1, 32).put(2, 32).put(3 - 1, 4).put(1, 1).put(0x123456789, 6 * 2 * 3);
  // A single entry of one dimension.
  out.put(0x564342, 24).put(1, 16).put(1, 24).put(0, 2).put(4, 5).put(0, 4);
  out.put(0, 6).put(0, 16);
  out.put(2 - 1, 6);
  out.put(0, 16).put(8, 8).put(44'100, 16).put(64, 16).put(6, 6).put(1, 8).put(2 - 1, 4).put(0, 16);
  out.put(1, 16).put(3, 5).put(0, 4).put(1, 4).put(0, 4);
  out.put(2 - 1, 3).put(0, 2).put(1, 8);
  out.put(3 - 1, 3).put(2, 2).put(0, 8).put(0, 32);
  out.put(1, 2).put(7, 4).put(0x7F, 2 * 7).put(0x7F, 3 * 7).put(0x7F, 2 * 7);
  out.put(0, 6).put(2, 16).put(0, 72).put(2 - 1, 6).put(0, 8);
  out.put(5, 3).put(0, 1).put(1, 3).put(1, 1).put(3, 5).put(0, (2 + 3) * 8);
  out.put(0, 6).put(0, 16).put(1, 1).put(2 - 1, 4).put(1, 1).put(0, 8).put(0, 2).put(0, 2);
  out.put(0x10, 8).put(0, 2 * 24);
  out.put(long_modes.size() - 1, 6);
  for (const bool is_long : long_modes) out.put(is_long, 1).put(0, 32).put(0, 8);
  return out.put(1, 1).bytes();
}

std::string identification() {
  return "\x01vorbis" + little(0, 4) + big(2, 1) + little(48'000, 4) + std::string(12, '\0') +
         "\xB8\x01";
}

std::string audio(unsigned mode) {
  return std::string(1, static_cast<char>(mode << 1)) + noise(9);
}

std::string headers(const std::string& setup_packet) {
  return ogg_page_of({.flags = first_page}, {identification()}) +
         ogg_page_of({}, {"\x03vorbis" + noise(300), setup_packet});
}

duration length(const std::string& bytes) {
  return measure(make_ogg_meter, bytes).length;
}
duration samples(std::uint64_t n) {
  return duration::of_samples(n, 48'000);
}

TEST(vorbis, modes_of_the_setup_header) {
  for (const auto& modes : std::initializer_list<std::vector<bool>>{
           {true}, {false}, {false, true}, {true, false, true}, std::vector<bool>(64, true)}) {
    const auto read = vorbis_modes::read(setup(modes), 2);
    ASSERT_TRUE(read.has_value()) << modes.size();
    for (std::size_t i = 0; i < modes.size(); ++i)
      EXPECT_EQ((read->long_blocks >> i & 1) != 0, modes[i]);
  }
  const auto whole = setup({false, true});
  for (std::size_t bytes = 0; bytes + 1 < whole.size(); ++bytes)
    EXPECT_FALSE(vorbis_modes::read(whole.substr(0, bytes), 2).has_value()) << bytes;
}

// Blocks of 256 and 2048 samples; two neighbouring blocks play a quarter of each.
TEST(vorbis, blocks_overlap) {
  const auto begin = headers(setup({false, true}));
  const auto page = [](const std::vector<std::string>& packets, std::int64_t granule = 0,
                       int flags = 0) {
    return ogg_page_of({.flags = flags, .granule = granule}, packets);
  };
  EXPECT_EQ(length(begin + page({audio(1)})), duration{});
  EXPECT_EQ(length(begin + page({audio(1), audio(1)})), samples(1024));
  EXPECT_EQ(length(begin + page({audio(1), audio(0), audio(0), audio(1)})),
            samples(576 + 128 + 576));
  EXPECT_EQ(measure(make_ogg_meter, begin + page({audio(0)})).codec, "vorbis");
  // Only the end of the last packet may be cut off.
  const auto ended_at = [&](std::int64_t granule) {
    return length(begin + page({audio(1), audio(1), audio(1)}, granule, last_page));
  };
  EXPECT_EQ(ended_at(1500), samples(1500));
  EXPECT_EQ(ended_at(1000), samples(2048));
}

TEST(vorbis, blocks_are_long_where_the_setup_header_cannot_be_read) {
  const std::vector<std::string> packets(5, audio(0));
  for (const auto& broken : {std::string{"\x05vorbis"}, setup({false, true}).substr(0, 60),
                             setup({false}) + noise(20'000)})
    EXPECT_EQ(length(headers(broken) + ogg_page_of({}, packets)), samples(4 * 1024));
  EXPECT_EQ(length(headers(setup({false})) + ogg_page_of({}, packets)), samples(4 * 128));
}

TEST(vorbis, a_second_setup_header_changes_nothing) {
  const auto page = ogg_page_of({}, {audio(1), setup({false, false}), audio(1), audio(1)});
  EXPECT_EQ(length(headers(setup({false, true})) + page), samples(2 * 1024));
}

}  // namespace
}  // namespace tollgate::routes::meters
