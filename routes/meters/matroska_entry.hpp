// TrackEntry, while it comes.
#pragma once

#include <string_view>

#include "routes/meters/matroska_codec.hpp"
#include "routes/meters/matroska_ids.hpp"

namespace tollgate::routes::meters {

class matroska_entry {
 public:
  // An element begins, here or anywhere. False if it is longer than we read, or was in this entry
  // before: decoders that give up on the way believe the first of two, others the last.
  bool begin(std::uint32_t element, std::uint64_t size);
  // Elements that are read whole.
  void take(std::uint32_t element, std::string_view content);
  void take_private(std::string_view piece);

  const track_entry& get() const { return entry_; }

 private:
  // The setup header of Vorbis stands in it, with all of the comments before it.
  static constexpr std::size_t most_private_bytes = 64 * 1024;

  track_entry entry_;
  std::uint32_t seen_ = 0;  // a bit an element
};

}  // namespace tollgate::routes::meters
