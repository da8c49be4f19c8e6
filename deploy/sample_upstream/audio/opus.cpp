#include <algorithm>
#include <string_view>

#include <boost/crc.hpp>

#include "deploy/sample_upstream/audio/bytes.hpp"
#include "deploy/sample_upstream/audio/encoder.hpp"

namespace tollgate::sample_upstream::audio {

namespace {

using namespace std::string_view_literals;

// Opus always counts at 48 kHz, whatever the input (RFC 7845, section 4).
constexpr std::uint64_t granules_per_sample = 48'000 / sample_rate;
constexpr std::uint64_t packet_granules = 960;  // 20 ms
constexpr std::uint64_t packets_a_page = 50;    // one second, as live encoders flush them
constexpr std::uint64_t pre_skip = 312;         // an encoder's usual delay

// Full band CELT, 20 ms, mono, one frame (RFC 6716, section 3.1), marked as silent.
constexpr auto silent_packet = "\xf8\xff\xfe"sv;

enum page_flags : std::uint8_t { none = 0, first_page = 2, last_page = 4 };

struct page {
  std::uint8_t flags;
  std::uint64_t granule;
  std::uint32_t sequence;
  std::uint64_t packets = 1;  // all of one size, below 255 bytes
  std::string_view packet;
};

// RFC 3533, section 6.
void append_page(const page& content, std::string& out) {
  constexpr std::size_t crc_at = 22;
  std::string bytes = "OggS";
  append_little_endian(bytes, 0, 1);  // version
  append_little_endian(bytes, content.flags, 1);
  append_little_endian(bytes, content.granule, 8);
  append_little_endian(bytes, 0x746f6c6c, 4);  // the stream's serial number: any value
  append_little_endian(bytes, content.sequence, 4);
  append_little_endian(bytes, 0, 4);  // computed with the checksum field set to zero
  append_little_endian(bytes, content.packets, 1);
  bytes.append(content.packets, static_cast<char>(content.packet.size()));
  for (std::uint64_t i = 0; i < content.packets; ++i) bytes += content.packet;

  boost::crc_optimal<32, 0x04c11db7, 0, 0, false, false> crc;
  crc.process_bytes(bytes.data(), bytes.size());
  std::string checksum;
  append_little_endian(checksum, crc.checksum(), 4);
  out += bytes.replace(crc_at, checksum.size(), checksum);
}

// RFC 7845, section 5.1.
std::string opus_head() {
  std::string head = "OpusHead";
  append_little_endian(head, 1, 1);  // version
  append_little_endian(head, 1, 1);  // channels
  append_little_endian(head, pre_skip, 2);
  append_little_endian(head, sample_rate, 4);  // of the input
  append_little_endian(head, 0, 2 + 1);        // gain; mapping family
  return head;
}

// RFC 7845, section 5.2.
std::string opus_tags() {
  constexpr auto vendor = "sample"sv;
  std::string tags = "OpusTags";
  append_little_endian(tags, vendor.size(), 4);
  tags += vendor;
  append_little_endian(tags, 0, 4);  // comments
  return tags;
}

// Each frame is one page.
class ogg_opus final : public encoder {
 public:
  explicit ogg_opus(std::uint64_t samples)
      : end_{pre_skip + samples * granules_per_sample},
        packets_{divide_up(end_, packet_granules)} {}

  std::string header() const override {
    const auto head = opus_head(), tags = opus_tags();
    std::string out;
    append_page({.flags = first_page, .granule = 0, .sequence = 0, .packet = head}, out);
    append_page({.flags = none, .granule = 0, .sequence = 1, .packet = tags}, out);
    return out;
  }

  std::uint64_t frames() const override { return divide_up(packets_, packets_a_page); }

  // The last page's granule is less than its packets contain: the rest is trimmed (section 4.4).
  void append_frame(std::uint64_t index, std::string& out) const override {
    const auto before = index * packets_a_page;
    const auto packets = std::min(packets_a_page, packets_ - before);
    const bool is_last = before + packets == packets_;
    append_page({.flags = is_last ? last_page : none,
                 .granule = is_last ? end_ : (before + packets) * packet_granules,
                 .sequence = static_cast<std::uint32_t>(index + 2),
                 .packets = packets,
                 .packet = silent_packet},
                out);
  }

 private:
  std::uint64_t end_;  // in granules
  std::uint64_t packets_;
};

}  // namespace

std::unique_ptr<encoder> encode_opus(std::uint64_t samples) {
  return std::make_unique<ogg_opus>(samples);
}

}  // namespace tollgate::sample_upstream::audio
