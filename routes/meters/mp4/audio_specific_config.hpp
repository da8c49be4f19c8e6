// The configuration of an AAC decoder (ISO/IEC 14496-3, 1.6.2.1) in an elementary stream descriptor
// (ISO/IEC 14496-1, 7.2.6.5).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "routes/meters/aac/raw_data_block.hpp"

namespace tollgate::routes::meters::mp4 {

struct elementary_stream {
  std::uint8_t object_type = 0;   // ISO/IEC 14496-1, table 5: 0x40 AAC, 0x6B MP3, ...
  std::string_view decoder_info;  // may be empty
};
std::optional<elementary_stream> read_elementary_stream(std::string_view esds);

struct aac_config {
  std::uint32_t rate = 0;  // of the core; spectral band replication doubles it together with
  std::uint32_t frame_samples = 0;  // the samples of a frame, so a frame's duration stays the same
  // The profile, with or without spectral band replication. Empty if its blocks cannot be
  // delimited.
  std::optional<aac::profile> profile = aac::profile::low_complexity;
};
// Empty for object types whose frame lengths differ from AAC's.
std::optional<aac_config> read_audio_specific_config(std::string_view config);

}  // namespace tollgate::routes::meters::mp4
