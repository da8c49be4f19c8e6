// Ogg pages with correct checksums.
#pragma once

#include <vector>

#include "routes/meters/crc.hpp"
#include "tests/unit/routes/meters/feed.hpp"

namespace tollgate::routes::meters {

enum ogg_flags : std::uint8_t { continued = 1, first_page = 2, last_page = 4 };

struct ogg_page_head {
  std::uint32_t serial = 1;
  int flags = 0;
  std::int64_t granule = 0;
  bool last_packet_goes_on = false;
};

inline std::string ogg_page_of(const ogg_page_head& head, const std::vector<std::string>& packets) {
  std::string lacing, body;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    body += packets[i];
    lacing += std::string(packets[i].size() / 255, '\xFF');
    const bool goes_on = head.last_packet_goes_on && i + 1 == packets.size();
    if (!goes_on) lacing += static_cast<char>(packets[i].size() % 255);
  }
  auto page = std::string{"OggS\0", 5} + static_cast<char>(head.flags) +
              little(static_cast<std::uint64_t>(head.granule), 8) + little(head.serial, 4) +
              std::string(8, '\0') + static_cast<char>(lacing.size()) + lacing + body;
  return page.replace(22, 4, little(ogg_crc(0, page), 4));
}

// Opus packets are recognized by their first bytes; this is one frame of 20 ms.
inline std::string opus_packet(std::size_t bytes = 60, std::string toc = "\x78") {
  return toc + noise(bytes - toc.size());
}

inline std::string opus_head(std::uint16_t pre_skip = 312) {
  return "OpusHead" + big(1, 1) + big(1, 1) + little(pre_skip, 2) + little(48'000, 4) +
         little(0, 3);
}

inline std::string opus_headers(std::uint32_t serial = 1, std::uint16_t pre_skip = 312) {
  return ogg_page_of({.serial = serial, .flags = first_page}, {opus_head(pre_skip)}) +
         ogg_page_of({.serial = serial}, {"OpusTags" + noise(600)});
}

// A page of `count` packets of 20 ms.
inline std::string opus_page(std::size_t count, std::int64_t granule, int flags = 0,
                             std::uint32_t serial = 1) {
  return ogg_page_of({.serial = serial, .flags = flags, .granule = granule},
                     std::vector<std::string>(count, opus_packet()));
}

}  // namespace tollgate::routes::meters
