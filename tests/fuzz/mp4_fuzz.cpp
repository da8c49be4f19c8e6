// A movie in any pieces is measured alike. To get anywhere, the input may also be a script:
//
//     (moov (mvhd 0 0 0 1000) (trak … x6d703461))
//
// A box, its type at once behind the bracket; numbers of 32 bits; bytes in hexadecimal. The sizes
// of the boxes are filled in.
#include <algorithm>
#include <string>
#include <vector>

#include "routes/meters/mp4.hpp"
#include "routes/text.hpp"
#include "tests/fuzz/input.hpp"

using namespace tollgate::routes;
using namespace tollgate::routes::meters;
using tollgate::fuzz::require;

namespace {

class script {
 public:
  std::string run(std::string_view text) {
    while (!text.empty()) {
      const char c = text.front();
      if (c == '(')
        open_box(text);
      else if (c == 'x')
        put_bytes(text);
      else if (is_digit(c))
        put_number(text);
      else
        text.remove_prefix(1);
      if (c == ')' && !open_.empty()) close_box();
    }
    while (!open_.empty()) close_box();
    return out_;
  }

 private:
  void open_box(std::string_view& text) {
    open_.push_back(out_.size());
    out_.append(4, '\0').append(text.substr(1, 4));
    text.remove_prefix(std::min<std::size_t>(5, text.size()));
  }
  void close_box() {
    out_.replace(open_.back(), 4, big_endian(out_.size() - open_.back()));
    open_.pop_back();
  }
  void put_number(std::string_view& text) {
    std::uint64_t value = 0;
    for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1))
      value = value * 10 + static_cast<unsigned>(text.front() - '0');
    out_ += big_endian(value);
  }
  void put_bytes(std::string_view& text) {
    text.remove_prefix(1);
    while (text.size() >= 2 && hex_value(text[0]) >= 0 && hex_value(text[1]) >= 0) {
      out_ += static_cast<char>(hex_value(text[0]) << 4 | hex_value(text[1]));
      text.remove_prefix(2);
    }
  }
  static std::string big_endian(std::uint64_t value) {
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
    return out;
  }

  std::string out_;
  std::vector<std::size_t> open_;
};

struct answer {
  state is;
  duration measured;
  std::string_view codec;
  bool operator==(const answer&) const = default;
};

void write(meter& to, std::string_view file, std::size_t longest) {
  for (std::size_t n = 1; !file.empty(); n = longest == 0 ? n : n * 5 % longest + 1) {
    const auto piece = longest == 0 ? file : file.substr(0, n);
    to.write(piece);
    file.remove_prefix(piece.size());
  }
  to.finish();
}

answer measure(std::string_view file, std::size_t longest) {
  const auto meter = make_mp4_meter();
  write(*meter, file, longest);
  if (meter->wants_second_reading()) {
    meter->begin_second_reading();
    write(*meter, file, longest);
    require(!meter->wants_second_reading(), "two readings are enough");
  }
  return {meter->status(), meter->measured(), meter->codec()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto file = text.starts_with('(') ? script{}.run(text) : std::string{text};
  const auto whole = measure(file, 0);
  for (const std::size_t longest : {1, 3, 16, 117})
    require(measure(file, longest) == whole, "pieces are measured as the whole");
  return 0;
}
