#include "proxy/gateway/journal/segment.hpp"

#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proxy/gateway/journal/record.hpp"

namespace tollgate::proxy::journal {

std::string segment_name(std::uint64_t sequence, int worker) {
  return fmt::format("{:012}-{}.journal", sequence, worker);
}

std::variant<std::unique_ptr<segment>, std::string> segment::make(const std::string& directory,
                                                                  std::uint64_t sequence,
                                                                  int worker, std::size_t size) {
  std::unique_ptr<segment> made{new segment};
  made->path_ = directory + "/" + segment_name(sequence, worker);
  made->sequence_ = sequence;
  made->size_ = size;
  const auto failed = [&](int error) -> std::string {
    ::unlink(made->path_.c_str());
    return made->path_ + ": " + std::strerror(error);
  };
  made->file_ = quota::file_descriptor{
      ::open(made->path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (!made->file_) return made->path_ + ": " + std::strerror(errno);
  // Missing disk space is detected now, and not when a page is written.
  const auto length = static_cast<off_t>(size);
  if (const int error = ::posix_fallocate(made->file_.get(), 0, length); error != 0)
    return failed(error);
  void* const mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                              made->file_.get(), 0);
  if (mapped == MAP_FAILED) return failed(errno);
  made->bytes_ = static_cast<char*>(mapped);
  const auto header = encode(segment_header{sequence, static_cast<std::uint32_t>(worker), 0});
  std::memcpy(made->bytes_, header.data(), header.size());
  made->used_ = header_size;
  return made;
}

segment::~segment() {
  if (bytes_ != nullptr) ::munmap(bytes_, size_);
}

// The first word is written last: until it is there, the record does not exist.
bool segment::append(std::string_view frame) {
  const auto at = used_.load(std::memory_order_relaxed);
  if (size_ - at < frame.size()) return false;
  std::uint32_t first;
  std::memcpy(&first, frame.data(), sizeof first);
  std::memcpy(bytes_ + at + sizeof first, frame.data() + sizeof first, frame.size() - sizeof first);
  std::atomic_ref{*reinterpret_cast<std::uint32_t*>(bytes_ + at)}.store(first,
                                                                        std::memory_order_release);
  used_.store(at + frame.size(), std::memory_order_release);
  return true;
}

void segment::strike_out(std::size_t at) {
  const std::atomic_ref first{*reinterpret_cast<std::uint32_t*>(bytes_ + at)};
  first.store(struck_out(first.load(std::memory_order_relaxed)), std::memory_order_release);
}

void segment::belongs_to(const std::string& store) {
  const auto bytes = encode_store(store);
  std::memcpy(bytes_ + store_at, bytes.data(), bytes.size());
}

bool segment::sync() {
  const auto end = used_.load(std::memory_order_acquire);
  if (end <= synced_) return true;
  if (::fdatasync(file_.get()) != 0) return false;
  const std::uint64_t said = end;
  std::atomic_ref{*reinterpret_cast<std::uint64_t*>(bytes_ + synced_at)}.store(
      said, std::memory_order_relaxed);
  synced_ = end;
  return true;
}

void segment::remove() {
  ::unlink(path_.c_str());
}

}  // namespace tollgate::proxy::journal
