// The checksums of an append-only file when it was written: one for every block, in a separate
// file. Redis has no checksum for what it appends.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quota/redis/embedded_files.hpp"

namespace tollgate::quota::redis {

inline constexpr std::size_t checksum_block = 1 << 20;

// The checksum of the first `length` bytes of a block.
struct block_checksum {
  std::uint32_t length = 0, crc = 0;
  bool operator==(const block_checksum&) const = default;
};

std::uint32_t crc_of(std::string_view bytes, std::uint32_t so_far = 0);

// In the order of the blocks; nothing for a block whose record cannot be read. Empty: no such file.
std::vector<std::optional<block_checksum>> read_block_checksums(const std::string& path);

// Writes the checksums of a file that is read from its beginning. A failure is not an error: a
// block without a checksum is not checked.
class block_checksum_writer {
 public:
  explicit block_checksum_writer(const std::string& path);  // truncates the file
  void add(std::string_view bytes);
  void write();  // for the block that is not full yet
  std::uint64_t position() const { return index_ * checksum_block + sum_.length; }
  bool failed() const { return failed_; }

 private:
  file_descriptor file_;
  std::uint64_t index_ = 0;
  block_checksum sum_;
  bool failed_ = false;
};

}  // namespace tollgate::quota::redis
