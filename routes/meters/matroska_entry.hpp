// Reads a TrackEntry as it arrives.
#pragma once

#include <string_view>

#include "routes/meters/matroska_codec.hpp"
#include "routes/meters/matroska_ids.hpp"

namespace tollgate::routes::meters {

class matroska_entry {
 public:
  // An element begins, in this entry or elsewhere. False if it is longer than this reader accepts,
  // or repeated in this entry: some decoders use the first of two, others the last.
  bool begin(std::uint32_t element, std::uint64_t size);
  // Receives elements that are read whole.
  void take(std::uint32_t element, std::string_view content);
  void take_private(std::string_view piece);

  const track_entry& get() const { return entry_; }

 private:
  // It must fit the setup header of Vorbis and all comments before it.
  static constexpr std::size_t most_private_bytes = 64 * 1024;

  track_entry entry_;
  std::uint32_t seen_ = 0;  // one bit per element
};

}  // namespace tollgate::routes::meters
