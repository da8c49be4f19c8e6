// Follows what a running server appends to its log, and writes down checksums of it, so that the
// next start can tell whether it is still what was written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "quota/redis/block_checksums.hpp"

namespace tollgate::quota::redis {

class append_only_watch {
 public:
  explicit append_only_watch(std::string directory);

  // Now and then, while the server runs. What was there at the last look, and is still, is on disk
  // afterwards and has its checksum: a server that cannot write takes back what it has begun.
  void look();
  // The server has ended: all that is there.
  void finish();

 private:
  void follow(const std::string& name);
  void sum_until(std::uint64_t end);
  std::uint64_t size() const;

  const std::string directory_;
  std::string name_;  // of the file that is appended to
  file_descriptor file_;
  std::optional<block_checksum_writer> sums_;
  std::uint64_t seen_ = 0;
};

}  // namespace tollgate::quota::redis
