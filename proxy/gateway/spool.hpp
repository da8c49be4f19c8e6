// Uploads that can be measured only when they are complete are kept in a file until then.
//
// The file has no name: it disappears when it is closed, also if the process is killed. Reading and
// writing use the page cache and do not wait for the disk, unless the disk is slower than the
// incoming data for a long time.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include <boost/system/result.hpp>

namespace tollgate::proxy {

// An open file without a name.
class unnamed_file {
 public:
  static boost::system::result<unnamed_file> create(const std::string& directory);
  unnamed_file(unnamed_file&& other) noexcept;
  unnamed_file& operator=(unnamed_file&& other) noexcept;
  ~unnamed_file();

  boost::system::error_code append(std::string_view bytes);
  // Fewer bytes than requested only at the end.
  boost::system::result<std::string_view> read(std::uint64_t offset, std::span<char> into) const;
  std::uint64_t size() const { return size_; }

 private:
  explicit unnamed_file(int descriptor) : descriptor_{descriptor} {}
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

struct spool_bounds {
  std::string directory;
  std::uint64_t upload = 0;        // bytes of one upload
  std::uint64_t total = 0;         // of all uploads
  std::uint64_t organization = 0;  // of all uploads of one organization
};

enum class spool_outcome : std::uint8_t {
  kept,
  too_large,    // for one upload
  share_taken,  // other uploads of the organization use all of its share
  full,         // all uploads together use all of the space
  failed        // the file could not be created or written: see why()
};

// The space that all uploads of a process use together. Any thread.
class spool_space {
 public:
  // The instance of this process.
  static spool_space& shared();

  spool_outcome take(const std::string& organization, std::uint64_t bytes,
                     const spool_bounds& most);
  void give_back(const std::string& organization, std::uint64_t bytes);
  std::uint64_t taken() const;

 private:
  mutable std::mutex mutex_;
  std::uint64_t taken_ = 0;
  std::map<std::string, std::uint64_t> taken_by_;  // organizations that use none are not in it
};

class spool {
 public:
  spool(spool_bounds bounds, spool_space& space, std::string organization);
  ~spool();
  spool(const spool&) = delete;

  // Keeps all of `bytes`; unless the outcome is `kept`, none of them.
  spool_outcome append(std::string_view bytes);
  boost::system::result<std::string_view> read(std::uint64_t offset, std::span<char> into) const;
  std::uint64_t size() const { return size_; }
  // For people: "No space left on device".
  std::string why() const { return error_.message(); }

 private:
  spool_bounds bounds_;
  spool_space& space_;
  const std::string organization_;
  boost::system::result<unnamed_file> file_;
  boost::system::error_code error_;
  std::uint64_t size_ = 0;
};

}  // namespace tollgate::proxy
