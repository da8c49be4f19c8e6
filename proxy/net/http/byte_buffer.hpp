// A contiguous buffer with a readable front and a writable back. It doubles its size up to a bound
// given by the caller, and frees large memory when it is empty. All that it has beyond its initial
// capacity is taken from the memory budget; without room there it stays as it is.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

#include <boost/asio/buffer.hpp>

#include "proxy/net/memory_budget.hpp"

namespace tollgate::proxy {

class byte_buffer {
 public:
  static constexpr std::size_t initial_capacity = 4 * 1024;
  static constexpr std::size_t transfer_capacity = 64 * 1024;  // while a body streams through

  explicit byte_buffer(memory_budget& budget = memory_budget::shared()) : budget_{budget} {}
  ~byte_buffer() { give_back(); }
  byte_buffer(const byte_buffer&) = delete;

  std::string_view view() const { return {memory_.get() + begin_, end_ - begin_}; }
  char* data() { return memory_.get() + begin_; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }

  void consume(std::size_t n) { begin_ += n; }

  // Space for at least one more byte, up to `limit` bytes in total. Empty if the buffer is full, or
  // cannot grow for want of memory.
  // Moves the content, so views of it become invalid. Before the matching commit(), the content may
  // only be read and consumed.
  boost::asio::mutable_buffer prepare(std::size_t limit) { return prepare(limit, false); }
  // The same, and grows whatever the budget says.
  boost::asio::mutable_buffer prepare_anyway(std::size_t limit) { return prepare(limit, true); }
  // It is full, and could grow if there were memory.
  bool is_starved(std::size_t limit) const {
    return capacity_ > 0 && size() == capacity_ && capacity_ < limit;
  }
  void commit(std::size_t n) { end_ += n; }

  // Makes the next prepare() offer a large space, which pays off while a body streams through.
  void expect_bulk() {
    if (capacity_ < transfer_capacity) grow(transfer_capacity, false);
  }

  // Called between messages.
  void shrink() {
    if (!empty() || capacity_ <= initial_capacity) return;
    memory_.reset();
    give_back();
    begin_ = end_ = capacity_ = 0;
  }

 private:
  boost::asio::mutable_buffer prepare(std::size_t limit, bool anyway) {
    if (empty()) begin_ = end_ = 0;
    if (begin_ > 0 && (end_ == capacity_ || end_ - begin_ < begin_)) compact();
    if (end_ == capacity_ && capacity_ < limit) {
      grow(std::min(limit, std::max(initial_capacity, capacity_ * 2)), anyway);
    }
    return {memory_.get() + end_, capacity_ - end_};
  }

  void compact() {
    std::memmove(memory_.get(), memory_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }

  void grow(std::size_t capacity, bool anyway) {
    if (capacity > initial_capacity) {
      const auto more = capacity - std::max(capacity_, initial_capacity);
      if (anyway) {
        budget_.take_buffer_anyway(more);
      } else if (!budget_.take_buffer(more)) {
        if (capacity_ > 0) return;
        capacity = initial_capacity;
      }
    }
    std::unique_ptr<char[]> larger{new char[capacity]};
    if (end_ > begin_) std::memcpy(larger.get(), memory_.get() + begin_, end_ - begin_);
    memory_ = std::move(larger);
    end_ -= begin_;
    begin_ = 0;
    capacity_ = capacity;
  }

  void give_back() {
    if (capacity_ > initial_capacity) budget_.give_back_buffer(capacity_ - initial_capacity);
  }

  memory_budget& budget_;
  std::unique_ptr<char[]> memory_;
  std::size_t begin_ = 0, end_ = 0, capacity_ = 0;
};

}  // namespace tollgate::proxy
