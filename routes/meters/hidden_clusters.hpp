// Clusters where a reader of elements does not see them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tollgate::routes::meters {

// Where anything is wrong, decoders that can go back look for the id of an element of a Segment's
// top level, byte by byte, from behind the last element that was sound, and read on from there. So
// all of the audio may stand in a Void, a tag, the data of a block, or across the end of one of
// them. Every byte of a stream is looked at here, and only where our own reader begins an element
// may such an id stand.
//
// In the frames of codecs, a Cluster's id stands by chance once in four gigabytes. There it is
// remembered, for when decoders have a reason to go back; it is a sign at once if what follows
// looks like a Cluster.
class hidden_clusters {
 public:
  enum class of : std::uint8_t {
    element,  // the head of one, or the name of one in a SeekHead: begins with an id rightly
    content,  // anything else
    file,     // an attached picture
    frames,   // of a codec
  };
  // All bytes of a stream, piece by piece.
  void look(std::string_view bytes, of what);

  bool found() const { return found_; }
  // Whether what may be one begins at `position` or behind it.
  bool may_be_behind(std::uint64_t position) const { return last_ && *last_ >= position; }

 private:
  static constexpr std::size_t id_bytes = 4;
  // A size of up to eight bytes, and the id of the first child.
  static constexpr std::size_t bytes_behind = 8 + 1;

  void look_across(std::string_view bytes, of what);
  void look_within(std::string_view bytes, of what);
  void suspect(std::uint64_t position, std::string_view behind);
  void look_behind(std::string_view bytes);
  void keep(std::string_view bytes, of what);

  std::uint64_t position_ = 0;
  std::array<char, id_bytes - 1> kept_;  // the last bytes
  std::size_t kept_bytes_ = 0,
              kept_of_frames_ = 0;  // of those, how many belong to the frames at hand
  std::optional<std::uint64_t> last_;
  std::array<char, bytes_behind> behind_;  // what follows it
  std::size_t behind_bytes_ = bytes_behind;
  bool found_ = false;
};

}  // namespace tollgate::routes::meters
