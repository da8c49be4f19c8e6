// Follows what a running server appends to its log and stores checksums of it, so that the next
// start can check that the log is unchanged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "quota/redis/block_checksums.hpp"

namespace tollgate::quota::redis {

class append_only_watch {
 public:
  explicit append_only_watch(std::string directory);

  // Called from time to time while the server runs. Bytes that were there at the last look, and
  // still are, are on disk afterwards and have a checksum. Newer bytes must wait: a server whose
  // write fails removes what it has begun to write.
  void look();
  // The log was there, and is not any more: somebody has removed or moved the directory.
  bool is_gone() const { return is_gone_; }
  // The server has ended: reads everything that remains.
  void finish();

 private:
  void follow(const std::string& name);
  void sum_until(std::uint64_t end);
  std::uint64_t size() const;

  const std::string directory_;
  std::string name_;  // the file that is appended to
  file_descriptor file_;
  std::optional<block_checksum_writer> sums_;
  std::uint64_t seen_ = 0;
  bool is_gone_ = false;
};

}  // namespace tollgate::quota::redis
