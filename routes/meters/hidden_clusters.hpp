// Finds clusters that a reader of elements does not see.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tollgate::routes::meters {

// After an error, decoders that can seek return to the last sound element and search byte by byte
// for the id of an element of a Segment's top level. So all audio may be hidden in a Void, a tag,
// the data of a block, or across the end of one of them. This class examines every byte of a
// stream. Such an id is allowed only where our own reader begins an element.
//
// In the frames of codecs, a Cluster's id occurs by chance once in four gigabytes. There the
// position is remembered, in case decoders have a reason to seek back. It is a sign at once if the
// bytes after it look like a Cluster.
class hidden_clusters {
 public:
  enum class of : std::uint8_t {
    element,  // an element's head, or an element's name in a SeekHead: an id is legitimate at its
              // start
    content,  // anything else
    file,     // an attached picture
    frames,   // of a codec
  };
  // Receives all bytes of a stream, piece by piece.
  void look(std::string_view bytes, of what);

  bool found() const { return found_; }
  // Whether a possible cluster begins at `position` or after it.
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
              kept_of_frames_ = 0;  // the number of them that belong to the current frames
  std::optional<std::uint64_t> last_;
  std::array<char, bytes_behind> behind_;  // the bytes after it
  std::size_t behind_bytes_ = bytes_behind;
  bool found_ = false;
};

}  // namespace tollgate::routes::meters
