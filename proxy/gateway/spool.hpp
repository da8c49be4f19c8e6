// Uploads that can be measured only when all of them has come are kept in a file meanwhile.
//
// The file has no name: it goes when it is closed, also if the process is killed. Reading and
// writing go through the page cache and do not wait for the disk, but where it is slower than what
// comes for a long time.
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
  // Fewer bytes than asked for only at the end.
  boost::system::result<std::string_view> read(std::uint64_t offset, std::span<char> into) const;
  std::uint64_t size() const { return size_; }

 private:
  explicit unnamed_file(int descriptor) : descriptor_{descriptor} {}
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

struct spool_bounds {
  std::string directory;
  std::uint64_t upload = 0;        // bytes of one
  std::uint64_t total = 0;         // of all
  std::uint64_t organization = 0;  // of all of one organization
};

enum class spool_outcome : std::uint8_t {
  kept,
  too_large,    // for one upload
  share_taken,  // other uploads of the organization take what one may
  full,         // other uploads take what there is
  failed        // the file could not be made or written: see why()
};

// What all uploads of a process take together. Any thread.
class spool_space {
 public:
  // The one of this process.
  static spool_space& shared();

  spool_outcome take(const std::string& organization, std::uint64_t bytes,
                     const spool_bounds& most);
  void give_back(const std::string& organization, std::uint64_t bytes);
  std::uint64_t taken() const;

 private:
  mutable std::mutex mutex_;
  std::uint64_t taken_ = 0;
  std::map<std::string, std::uint64_t> taken_by_;  // organizations that take none are not in it
};

class spool {
 public:
  spool(spool_bounds bounds, spool_space& space, std::string organization);
  ~spool();
  spool(const spool&) = delete;

  // All of it or, where it was not kept, none of it.
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
