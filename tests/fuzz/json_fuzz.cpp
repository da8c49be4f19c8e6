// Members of a body as simdjson and routes/json_members read them, against a small reader written
// from RFC 8259 alone. Where the first accepts a body and finds a member, the second must find the
// same, once.
#include <optional>
#include <vector>

#include "routes/json_members.hpp"
#include "routes/member_name.hpp"
#include "routes/text.hpp"
#include "tests/fuzz/input.hpp"

using namespace tollgate::routes;
using tollgate::fuzz::require;

namespace {

// Walks a valid body and collects what the top-level object says about one name.
class reader {
 public:
  explicit reader(std::string_view text) : text_{text} {}

  struct member {
    std::string name, text;
    bool is_string = false;
    std::size_t elements = 0;  // of an array
  };

  // Nothing when the text is not valid; no members when it is not an object.
  std::optional<std::vector<member>> run() {
    std::vector<member> members;
    blanks();
    const bool object = peek() == '{';
    if (object ? !read_object(&members) : !value(nullptr)) return std::nullopt;
    blanks();
    if (at_ != text_.size()) return std::nullopt;
    return members;
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void blanks() {
    while (at_ < text_.size() &&
           std::string_view{" \t\r\n"}.find(text_[at_]) != std::string_view::npos)
      ++at_;
  }

  bool read_object(std::vector<member>* members) {
    if (++depth_ > 2000 || !take('{')) return false;
    blanks();
    if (take('}')) return --depth_, true;
    do {
      member next;
      blanks();
      if (!string(next.name)) return false;
      blanks();
      if (!take(':') || !value(&next)) return false;
      if (members != nullptr) members->push_back(next);
      blanks();
    } while (take(','));
    return --depth_, take('}');
  }

  bool read_array(member* into) {
    if (++depth_ > 2000 || !take('[')) return false;
    blanks();
    if (take(']')) return --depth_, true;
    do {
      if (!value(nullptr)) return false;
      if (into != nullptr) ++into->elements;
      blanks();
    } while (take(','));
    return --depth_, take(']');
  }

  bool value(member* into) {
    blanks();
    const auto begin = at_;
    bool sound = false;
    std::string text;
    switch (peek()) {
      case '{':
        return read_object(nullptr);
      case '[':
        return read_array(into);
      case '"':
        sound = string(text);
        if (into != nullptr) into->is_string = true;
        break;
      default:
        while (at_ < text_.size() &&
               std::string_view{",]} \t\r\n"}.find(text_[at_]) == std::string_view::npos)
          ++at_;
        text = text_.substr(begin, at_ - begin);
        sound = !text.empty();  // numbers and words are judged by simdjson alone
    }
    if (into != nullptr) into->text = text;
    return sound;
  }

  bool hex4(unsigned& out) {
    out = 0;
    for (int i = 0; i < 4; ++i) {
      const int digit = hex_value(peek());
      if (digit < 0) return false;
      out = out * 16 + static_cast<unsigned>(digit);
      ++at_;
    }
    return true;
  }

  static void append_utf8(std::string& out, unsigned code) {
    if (code < 0x80) {
      out += static_cast<char>(code);
      return;
    }
    const int extra = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    constexpr unsigned leads[]{0, 0xC0, 0xE0, 0xF0};
    out += static_cast<char>(leads[extra] | (code >> (6 * extra)));
    for (int i = extra - 1; i >= 0; --i)
      out += static_cast<char>(0x80 | ((code >> (6 * i)) & 0x3F));
  }

  bool string(std::string& out) {
    if (!take('"')) return false;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (static_cast<unsigned char>(text_[at_]) < 0x20) return false;
      if (text_[at_] != '\\') {
        out += text_[at_++];
        continue;
      }
      ++at_;
      if (!escape(out)) return false;
    }
    return take('"');
  }

  bool escape(std::string& out) {
    constexpr std::string_view letters = "\"\\/bfnrt", meant = "\"\\/\b\f\n\r\t";
    const char c = peek();
    ++at_;
    if (c != 'u') {
      const auto which = letters.find(c);
      if (which == letters.npos) return false;
      out += meant[which];
      return true;
    }
    unsigned code = 0, low = 0;
    if (!hex4(code)) return false;
    if (code >= 0xD800 && code < 0xDC00) {
      if (!take('\\') || !take('u') || !hex4(low) || low < 0xDC00 || low > 0xDFFF) return false;
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code < 0xE000) {
      return false;
    }
    append_utf8(out, code);
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

void compare(const reading& found, const std::vector<reader::member>& members,
             const std::string& name) {
  std::size_t exact = 0, alike = 0;
  const reader::member* same = nullptr;
  for (const auto& member : members) {
    alike += may_be_taken_for(member.name, skeleton(name));
    if (member.name != name) continue;
    ++exact;
    same = &member;
  }
  if (alike == 0)
    return require(found.is == reading::state::absent, "a member that is not there is absent");
  if (alike > 1 || exact == 0)
    return require(found.is == reading::state::ambiguous,
                   "a member that may be another is ambiguous");
  require(found.is == reading::state::present, "a member that stands once is there");
  if (same->is_string)
    require(found.scalar && found.text == same->text, "a string is what it says");
  require(found.elements == same->elements, "an array has the elements it has");
}

}  // namespace

// The first line is the name; the rest the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tollgate::fuzz::input in{data, size};
  const std::string name{in.line()};
  const auto pointer = json_pointer::parse("/" + name);
  const std::string text{in.rest()};
  const json_body body{text};
  if (!body.error().empty() || !std::holds_alternative<json_pointer>(pointer)) return 0;
  require(is_utf8(text), "what is accepted is UTF-8");
  const auto members = reader{text}.run();
  require(members.has_value(), "what is accepted is JSON");
  const auto& where = std::get<json_pointer>(pointer);
  if (where.tokens().size() == 1) compare(body.read(where), *members, where.tokens().front().text);
  return 0;
}
