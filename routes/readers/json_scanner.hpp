// Reads a JSON text (RFC 8259) incrementally, in constant memory, for the strings of a few members.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "routes/json_members.hpp"
#include "routes/readers/reader.hpp"

namespace tollgate::routes::readers {

// Pointers name members of nested objects; the content of arrays is skipped. The scanner validates
// the grammar and UTF-8 from the first byte to the last: audio frames are not valid UTF-8, and a
// reader that ignores the type would find them. A wanted member must occur once at every level, in
// exactly this spelling: some readers take the first of two, others the last, and some ignore case.
class json_scanner {
 public:
  class listener {
   public:
    virtual ~listener() = default;
    // The text of the string at a pointer, unescaped: any number of pieces, then the end.
    virtual void on_text(std::size_t pointer, std::string_view piece) = 0;
    virtual void on_text_end(std::size_t pointer) = 0;
    // The member exists and is not a string.
    virtual void on_other(std::size_t pointer) = 0;
  };

  // An empty pointer means the whole text, which is never wanted here.
  json_scanner(std::vector<json_pointer> pointers, listener& heard_by);

  // Both are ignored after a fault.
  void write(std::string_view piece);
  void finish();
  fault problem() const { return fault_; }
  // Begins another text.
  void restart();

  static constexpr std::size_t deepest = 64;
  // Longer than any name in a pointer. A longer name counts as a wanted one as soon as it could be.
  static constexpr std::size_t longest_name = 512;

 private:
  enum class state : std::uint8_t {
    value,
    first_value,
    name,
    first_name,
    colon,
    after_value,
    end,
    in_text,
    escape,
    hex,
    minus,
    zero,
    integer,
    point,
    fraction,
    exponent,
    exponent_sign,
    exponent_digits,
    literal,
  };
  // The kind of string being read.
  enum class text_kind : std::uint8_t { name, value };
  static constexpr std::size_t none = ~std::size_t{0};

  void take(char c);
  void begin_value(char c);
  void begin_text(text_kind kind);
  void begin_literal(std::string_view word);
  void take_in_number(char c);
  void end_number(char c);
  void take_escape(char c);
  void take_hex(char c);
  void take_between(char c);
  std::string_view take_plain(std::string_view piece);
  void take_beyond_ascii(char c);
  void put(std::string_view piece);
  void put_code_unit();
  void end_text();

  void open(bool object);
  void close(bool object);
  void end_value();
  void find_member();
  void fail(fault which) {
    if (fault_ == fault::none) fault_ = which;
  }

  struct search {
    json_pointer pointer;
    // How many names of the pointer lead to the innermost open object on its path.
    std::size_t along = 0;
    bool follows = false;    // the next value is another step on the path
    std::uint64_t seen = 0;  // one bit per name of the pointer
  };
  std::vector<search> searches_;
  listener& listener_;

  state state_ = state::value;
  fault fault_ = fault::none;
  std::size_t depth_ = 0;
  std::bitset<deepest + 1> is_object_;
  text_kind text_ = text_kind::value;
  std::size_t wanted_ = none;  // the search whose value comes next or is being read
  std::string name_;           // at most longest_name of it
  std::string_view literal_rest_;
  std::uint32_t code_unit_ = 0;
  unsigned hex_digits_ = 0;
  unsigned rest_of_character_ =
      0;  // UTF-8 bytes that must follow; the range of the next one is below
  std::uint8_t next_at_least_ = 0, next_at_most_ = 0;
};

}  // namespace tollgate::routes::readers
