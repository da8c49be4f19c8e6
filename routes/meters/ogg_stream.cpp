#include "routes/meters/ogg_stream.hpp"

#include <algorithm>

#include "routes/meters/flac_packets.hpp"
#include "routes/meters/opus.hpp"
#include "routes/meters/speex.hpp"
#include "routes/meters/vorbis.hpp"

namespace tollgate::routes::meters {
namespace {

// RFC 7845, section 5.1: the samples at 48 kHz to discard before playback. Decoders of version 0
// read all versions below 16.
std::optional<duration> opus_delay(std::string_view head) {
  if (head.size() < 19 || !head.starts_with("OpusHead") || byte_at(head, 8) >= 16)
    return std::nullopt;
  return opus_packets::of_samples(little_endian<std::uint16_t>(head, 10));
}

// RFC 9639, section 10.1: 0x7F "FLAC", the version, the number of header packets, then the start of
// a native stream.
std::optional<flac_format> flac_stream_info(std::string_view head) {
  constexpr std::size_t native = 9, stream_info = native + 4 + 4;
  if (!head.starts_with("\x7F"
                        "FLAC") ||
      head.size() < stream_info + flac_format::stream_info_bytes)
    return std::nullopt;
  return flac_format::of_stream_info(head.substr(stream_info));
}

}  // namespace

std::optional<ogg_stream> ogg_stream::open(std::uint32_t serial, std::string_view first_packet) {
  if (const auto delay = opus_delay(first_packet)) {
    ogg_stream stream{serial, std::make_unique<opus_packets>(), opus_packets::rate,
                      trimming::last_page};
    stream.delay_ = *delay;
    return stream;
  }
  if (auto vorbis = vorbis_packets::open(first_packet)) {
    const auto rate = vorbis->rate();
    return ogg_stream{serial, std::move(vorbis), rate, trimming::last_packet};
  }
  if (const auto format = flac_stream_info(first_packet))
    return ogg_stream{serial, std::make_unique<flac_packets>(*format), format->rate,
                      trimming::none};
  if (auto speex = speex_packets::open(first_packet)) {
    const auto rate = speex->rate();
    return ogg_stream{serial, std::move(speex), rate, trimming::last_packet};
  }
  return std::nullopt;
}

bool ogg_stream::names_audio(std::string_view packets) {
  constexpr std::string_view names[]{"OpusHead",
                                     "\x01vorbis",
                                     "FLAC",
                                     "fLaC",
                                     "Speex   ",
                                     "CELT    ",
                                     "\x01"
                                     "audio",
                                     "\x01"
                                     "Direct Show"};
  return std::any_of(std::begin(names), std::end(names), [packets](std::string_view name) {
    return packets.find(name) != packets.npos;
  });
}

void ogg_stream::begin_page(const ogg_page& page) {
  page_ = last_packet_ = {};
  // Some decoders take the next bytes for the rest of the packet, some drop the packet.
  if (!page.continues_packet()) end_packet();
}

void ogg_stream::end_packet() {
  if (!unfinished_) return;
  last_packet_ = *unfinished_;
  page_ += last_packet_;
  unfinished_.reset();
}

void ogg_stream::lose_packets(std::size_t packets) {
  unfinished_.reset();
  for (std::size_t i = 0; i < packets; ++i) page_ += codec_->longest();
}

void ogg_stream::end_page(const ogg_page& page) {
  const auto granule = page.granule();
  has_ended_ = page.ends_stream();
  end_trim_ = has_ended_ && granule ? end_trim(*granule) : duration{};
  counted_ += page_;
  page_ = {};
  if (granule) last_granule_ = granule;
}

// RFC 7845, section 4.4, and Vorbis I, section A.2: the granule position of the last page may
// shorten it. The positions of other pages do not affect playback. If the claim exceeds what
// decoders accept, they play everything.
duration ogg_stream::end_trim(std::int64_t granule) const {
  const auto before = last_granule_.value_or(0);
  const auto kept = granule > before ? static_cast<std::uint64_t>(granule - before) : 0;
  const auto excess = page_ - duration::of_samples(kept, rate_);
  switch (rule_) {
    case trimming::none:
      return {};
    case trimming::last_packet:
      return excess <= last_packet_ ? excess : duration{};
    case trimming::last_page:
      return excess;
  }
  return {};
}

}  // namespace tollgate::routes::meters
