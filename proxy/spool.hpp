// Uploads that can be measured only when all of them has come are kept in a file meanwhile.
//
// The file has no name: it goes when it is closed, also if the process is killed. Reading and
// writing go through the page cache and do not wait for the disk, but where it is slower than what
// comes for a long time.
#pragma once

#include <atomic>
#include <cstdint>
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

// What all uploads of a process take together.
class spool_space {
 public:
  // The one of this process.
  static spool_space& shared();

  bool take(std::uint64_t bytes, std::uint64_t most);
  void give_back(std::uint64_t bytes) { taken_.fetch_sub(bytes, std::memory_order_relaxed); }
  std::uint64_t taken() const { return taken_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> taken_{0};
};

struct spool_bounds {
  std::string directory;
  std::uint64_t upload = 0;  // bytes of one
  std::uint64_t total = 0;   // of all
};

enum class spool_outcome : std::uint8_t {
  kept,
  too_large,  // for one upload
  full,       // other uploads take what there is
  failed      // the file could not be made or written: see why()
};

class spool {
 public:
  spool(spool_bounds bounds, spool_space& space);
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
  boost::system::result<unnamed_file> file_;
  boost::system::error_code error_;
  std::uint64_t size_ = 0;
};

}  // namespace tollgate::proxy
