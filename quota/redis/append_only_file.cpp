#include "quota/redis/append_only_file.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <memory>
#include <string_view>
#include <vector>

#include <strings.h>
#include <unistd.h>

namespace tollgate::quota::redis {

namespace {

constexpr std::size_t buffer_size = 1 << 20;
constexpr std::size_t longest_line = 1024;

class byte_reader {
 public:
  explicit byte_reader(std::FILE* file) : file_{file}, buffer_(buffer_size) {}

  std::uint64_t position() const { return read_; }

  // Up to and without "\n". False: the file ends before it, or it is longer than any line can be.
  bool line(std::string& text) {
    text.clear();
    for (char c = 0; text.size() < longest_line && next(c);) {
      if (c == '\n') return true;
      text += c;
    }
    return false;
  }

  bool skip(std::uint64_t count) {
    while (count > 0 && (at_ < end_ || fill())) {
      const auto here = std::min<std::uint64_t>(count, end_ - at_);
      at_ += here;
      read_ += here;
      count -= here;
    }
    return count == 0;
  }

 private:
  bool next(char& c) {
    if (at_ == end_ && !fill()) return false;
    c = buffer_[at_++];
    ++read_;
    return true;
  }

  bool fill() {
    at_ = 0;
    end_ = std::fread(buffer_.data(), 1, buffer_.size(), file_);
    return end_ > 0;
  }

  std::FILE* file_;
  std::vector<char> buffer_;
  std::size_t at_ = 0, end_ = 0;
  std::uint64_t read_ = 0;
};

enum class piece : std::uint8_t { complete, cut_short, nonsense };

// "*3\r" -> 3
std::optional<std::uint64_t> number_after(char type, std::string_view line) {
  if (line.size() < 3 || line.front() != type || line.back() != '\r') return std::nullopt;
  std::uint64_t number = 0;
  const auto end = line.data() + line.size() - 1;
  const auto [stop, failed] = std::from_chars(line.data() + 1, end, number);
  if (failed != std::errc{} || stop != end) return std::nullopt;
  return number;
}

// One command, of which only the name matters.
piece read_command(byte_reader& bytes, std::string& name) {
  std::string line;
  if (!bytes.line(line)) return piece::cut_short;
  name.clear();
  if (line.starts_with('#')) return piece::complete;  // an annotation
  const auto arguments = number_after('*', line);
  if (!arguments) return piece::nonsense;
  for (std::uint64_t i = 0; i < *arguments; ++i) {
    if (!bytes.line(line)) return piece::cut_short;
    const auto length = number_after('$', line);
    if (!length) return piece::nonsense;
    const bool is_name = i == 0 && *length < longest_line;
    if (is_name ? !bytes.line(name) : !bytes.skip(*length + 2)) return piece::cut_short;
  }
  return piece::complete;
}

bool is(const std::string& name, const char* command) {
  return strcasecmp(name.c_str(), command) == 0;
}

// The name of the last incremental file, which is the one that is appended to.
std::string last_increment(const std::string& manifest) {
  std::ifstream lines{manifest};
  std::string name;
  for (std::string line; std::getline(lines, line);) {
    const auto end = line.find(" seq ");
    const bool increment = line.ends_with(" type i") || line.find(" type i ") != std::string::npos;
    if (increment && line.starts_with("file ") && end != std::string::npos) {
      name = line.substr(5, end - 5);
    }
  }
  return name;
}

struct file_closer {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

std::optional<std::uint64_t> whole_length(std::FILE* file) {
  byte_reader bytes{file};
  std::uint64_t whole = 0;
  bool in_transaction = false;
  for (std::string name;;) {
    const auto read = read_command(bytes, name);
    if (read == piece::nonsense) return std::nullopt;
    if (read == piece::cut_short) return whole;
    if (is(name, "MULTI\r")) in_transaction = true;
    if (is(name, "EXEC\r")) in_transaction = false;
    if (!in_transaction) whole = bytes.position();
  }
}

std::uint64_t mend_append_only_file(const std::string& directory) {
  const auto files = directory + "/appendonlydir/";
  const auto name = last_increment(files + "appendonly.aof.manifest");
  if (name.empty() || name.find('/') != std::string::npos) return 0;
  const std::unique_ptr<std::FILE, file_closer> file{std::fopen((files + name).c_str(), "r+")};
  if (!file) return 0;
  const auto whole = whole_length(file.get());
  if (!whole || std::fseek(file.get(), 0, SEEK_END) != 0) return 0;
  const auto size = std::ftell(file.get());
  if (size < 0 || static_cast<std::uint64_t>(size) <= *whole) return 0;
  const auto descriptor = fileno(file.get());
  if (ftruncate(descriptor, static_cast<off_t>(*whole)) != 0) return 0;
  fsync(descriptor);
  return static_cast<std::uint64_t>(size) - *whole;
}

}  // namespace tollgate::quota::redis
