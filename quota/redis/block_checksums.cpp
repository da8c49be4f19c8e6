#include "quota/redis/block_checksums.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

namespace tollgate::quota::redis {

namespace {

constexpr std::uint32_t record_version = 1;

// A record: version, length, checksum of the block, and a checksum of these three and of the
// block's number.
using record = std::array<std::uint32_t, 4>;

std::uint32_t check_of(const record& fields, std::uint64_t index) {
  char bytes[3 * sizeof(std::uint32_t) + sizeof index];
  std::memcpy(bytes, fields.data(), 3 * sizeof(std::uint32_t));
  std::memcpy(bytes + 3 * sizeof(std::uint32_t), &index, sizeof index);
  return crc_of({bytes, sizeof bytes});
}

}  // namespace

std::uint32_t crc_of(std::string_view bytes, std::uint32_t so_far) {
  return static_cast<std::uint32_t>(
      ::crc32_z(so_far, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

std::vector<std::optional<block_checksum>> read_block_checksums(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::vector<std::optional<block_checksum>> found;
  record fields;
  while (file.read(reinterpret_cast<char*>(fields.data()), sizeof fields)) {
    const bool valid = fields[0] == record_version && fields[3] == check_of(fields, found.size());
    found.push_back(valid ? std::optional{block_checksum{fields[1], fields[2]}} : std::nullopt);
  }
  return found;
}

block_checksum_writer::block_checksum_writer(const std::string& path)
    : file_{::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)},
      failed_{!file_} {}

void block_checksum_writer::add(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto here = std::min(bytes.size(), checksum_block - sum_.length);
    sum_.crc = crc_of(bytes.substr(0, here), sum_.crc);
    sum_.length += static_cast<std::uint32_t>(here);
    bytes.remove_prefix(here);
    if (sum_.length < checksum_block) continue;
    write();
    ++index_;
    sum_ = {};
  }
}

void block_checksum_writer::write() {
  if (failed_ || sum_.length == 0) return;
  record fields{record_version, sum_.length, sum_.crc, 0};
  fields[3] = check_of(fields, index_);
  const auto at = static_cast<off_t>(index_ * sizeof fields);
  failed_ = ::pwrite(file_.get(), fields.data(), sizeof fields, at) != sizeof fields;
}

}  // namespace tollgate::quota::redis
