// MP4 files, box by box.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tollgate::routes::meters {

inline std::string be(std::uint64_t value, int width) {
  std::string out;
  for (int i = width - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
  return out;
}
inline std::string u16(std::uint64_t value) {
  return be(value, 2);
}
inline std::string u32(std::uint64_t value) {
  return be(value, 4);
}
inline std::string zeros(std::size_t n) {
  return std::string(n, '\0');
}
inline std::string box(std::string_view type, const std::string& content) {
  return u32(8 + content.size()).append(type).append(content);
}
inline std::string large_box(std::string_view type, const std::string& content) {
  return u32(1).append(type) + be(16 + content.size(), 8) + content;
}
// Version 0 or 1 and flags, then the fields.
inline std::string full_box(std::string_view type, std::uint32_t version_and_flags,
                            const std::string& content) {
  return box(type, u32(version_and_flags) + content);
}
inline std::string table(std::string_view type, const std::vector<std::string>& entries) {
  std::string content = u32(entries.size());
  for (const auto& each : entries) content += each;
  return full_box(type, 0, content);
}

inline std::string handler(std::string_view type) {
  return full_box("hdlr", 0, zeros(4).append(type) + zeros(13));
}

inline std::string audio_entry(std::string_view format, unsigned channels, unsigned rate,
                               const std::string& config = "", unsigned bits = 16) {
  return box(format, zeros(6) + u16(1) + zeros(8) + u16(channels) + u16(bits) + zeros(4) +
                         u32(static_cast<std::uint64_t>(rate) << 16) + config);
}

// AudioSpecificConfig: AAC LC, stereo; 3 is 48 kHz, 4 is 44.1 kHz, 8 is 16 kHz.
inline std::string aac_config(unsigned rate_index, unsigned frame_length_flag = 0) {
  const auto info = u16(2U << 11 | rate_index << 7 | 2U << 3 | frame_length_flag << 2);
  const auto decoder =
      std::string{"\x40\x15"} + zeros(11) + std::string{"\x05\x80\x80\x02", 4} + info;
  const auto es = u16(1) + zeros(1) + "\x04" + be(decoder.size(), 1) + decoder;
  return full_box("esds", 0, "\x03" + be(es.size(), 1) + es);
}
inline std::string aac(unsigned rate = 48000, unsigned rate_index = 3) {
  return audio_entry("mp4a", 2, rate, aac_config(rate_index));
}

struct movie {
  std::string handler_type = "soun", entry = aac();
  std::uint32_t timescale = 48000, movie_timescale = 1000;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> durations;  // stts
  std::vector<std::uint32_t> sizes;
  std::uint32_t size_of_all = 0;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> chunk_runs;  // stsc
  std::vector<std::uint64_t> chunks;
  std::string edits, more_tables;
  bool wide_offsets = false;

  // `n` samples of that many bytes in one chunk.
  static movie of(std::uint32_t n, std::uint32_t ticks, std::uint32_t bytes) {
    movie out;
    out.durations = {{n, ticks}};
    out.sizes.assign(n, bytes);
    out.chunk_runs = {{1, n}};
    out.chunks = {0};
    return out;
  }
  movie& edit(std::uint64_t movie_ticks, std::int32_t media_time) {
    edits =
        box("edts", table("elst", {u32(movie_ticks) + u32(static_cast<std::uint32_t>(media_time)) +
                                   u32(0x10000)}));
    return *this;
  }

  std::string sample_tables(std::uint64_t offset) const {
    std::vector<std::string> stts, stsc, stco, stsz;
    for (const auto& [n, ticks] : durations) stts.push_back(u32(n) + u32(ticks));
    for (const auto& [first, n] : chunk_runs) stsc.push_back(u32(first) + u32(n) + u32(1));
    for (const auto each : chunks) stco.push_back(be(offset + each, wide_offsets ? 8 : 4));
    std::string all_sizes = u32(size_of_all) + u32(sizes.size());
    if (size_of_all == 0)
      for (const auto each : sizes) all_sizes += u32(each);
    return full_box("stsd", 0, u32(1) + entry) + table("stts", stts) + table("stsc", stsc) +
           full_box("stsz", 0, all_sizes) + table(wide_offsets ? "co64" : "stco", stco) +
           more_tables;
  }
  std::string track(std::uint64_t offset, unsigned id = 1) const {
    const auto minf = box("minf", box("smhd", zeros(8)) + box("stbl", sample_tables(offset)));
    return box("trak", full_box("tkhd", 0, zeros(8) + u32(id) + zeros(68)) + edits +
                           box("mdia", full_box("mdhd", 0, zeros(8) + u32(timescale) + zeros(8)) +
                                           handler(handler_type) + minf));
  }
  std::string header() const {
    return full_box("mvhd", 0, zeros(8) + u32(movie_timescale) + zeros(84));
  }
  std::string moov(std::uint64_t offset, const std::string& more = "") const {
    return box("moov", header() + track(offset) + more);
  }
  std::string data() const {
    std::uint64_t total = 0;
    for (const auto each : sizes) total += size_of_all > 0 ? size_of_all : each;
    return std::string(total, 'x');
  }
};

inline const std::string ftyp = box("ftyp", "M4A " + zeros(4) + "isom");

inline std::string index_last(const movie& m) {
  const auto mdat = box("mdat", m.data());
  return ftyp + mdat + m.moov(ftyp.size() + 8);
}
inline std::string index_first(const movie& m) {
  const auto moov = m.moov(ftyp.size() + m.moov(0).size() + 8);
  return ftyp + moov + box("mdat", m.data());
}

}  // namespace tollgate::routes::meters
