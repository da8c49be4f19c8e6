#include "routes/readers/part_head.hpp"

#include <algorithm>
#include <charconv>

#include "routes/media_type.hpp"
#include "routes/readers/parameters.hpp"
#include "routes/text.hpp"

namespace tollgate::routes::readers {
namespace {

bool has_line_break(std::string_view line) {
  return line.find_first_of(std::string_view{"\r\n\0", 3}) != line.npos;
}

// filename*=UTF-8''na%C3%AFve.mp3 (RFC 5987), which many clients send in addition to `filename`.
bool is_sound_extended(std::string_view value) {
  return is_ascii_charset(value.substr(0, value.find('\'')));
}

// Some readers search for `name=` anywhere.
bool hides_name(std::string_view value) {
  return fold(value).find("name=") != std::string::npos;
}

bool is_sound(const parameter& each) {
  if (each.name == "name")
    return (each.quoted || is_token(each.value)) && !each.escaped && is_utf8(each.value) &&
           each.value.find("=?") == each.value.npos;
  if (each.name == "filename") return !hides_name(each.value);
  return each.name == "filename*" && is_sound_extended(each.value) && !hides_name(each.value);
}

class head_reader {
 public:
  std::variant<part_head, fault> run(std::string_view lines) {
    while (lines != "\r\n" && fault_ == fault::none) {
      const auto line = lines.substr(0, lines.find("\r\n"));
      lines.remove_prefix(line.size() + 2);
      read_line(line);
    }
    if (!named_) fail(fault::malformed);
    if (fault_ != fault::none) return fault_;
    return std::move(head_);
  }

 private:
  void fail(fault which) {
    if (fault_ == fault::none) fault_ = which;
  }

  void read_line(std::string_view line) {
    const auto colon = std::min(line.find(':'), line.size());
    const auto name = line.substr(0, colon);
    // A line that begins with a blank continues the previous one; few readers still support that.
    if (colon == line.size() || !is_token(name) || has_line_break(line))
      return fail(fault::malformed);
    const auto value = without_blanks(line.substr(colon + 1));
    const auto is = [name](std::string_view other) { return equal_ignoring_case(name, other); };
    if (is("content-disposition")) return read_disposition(value);
    if (is("content-type")) return read_type(value);
    if (is("content-length")) return read_length(value);
    if (is("content-transfer-encoding") || is("content-encoding") || is("transfer-encoding"))
      read_encoding(value);
  }

  // RFC 7578, 4.2, forbids `name*`, but some mail parsers read it, and `name*0`, as the name.
  void read_disposition(std::string_view value) {
    const auto read = read_parameters(value);
    if (!read || !equal_ignoring_case(read->value, "form-data") || read->count("name") == 0)
      return fail(fault::malformed);
    for (const auto& each : read->parameters)
      if (!is_sound(each) || read->count(each.name) > 1) return fail(fault::ambiguous);
    if (named_) return fail(fault::ambiguous);
    named_ = true;
    head_.name = *read->only("name");
    for (const auto& each : read->parameters)
      if (each.name.starts_with("filename")) head_.file_names.push_back(each.value);
  }

  // A form inside a part, as RFC 2388 allowed for several files with one name: some readers replace
  // the part with the parts in it. Mail readers do so with a message.
  void read_type(std::string_view value) {
    const auto kind = fold(value.substr(0, value.find('/')));
    if (typed_ || kind == "multipart" || kind == "message") return fail(fault::ambiguous);
    typed_ = true;
    if (fold(value).find("charset") == std::string::npos) return;
    const auto read = read_parameters(value);
    const auto* charset = read ? read->only("charset") : nullptr;
    if (charset == nullptr || !is_ascii_charset(*charset)) return fail(fault::ambiguous);
    for (const auto& each : read->parameters)
      if (each.name.find('*') != each.name.npos) return fail(fault::ambiguous);
  }

  void read_length(std::string_view value) {
    std::uint64_t length = 0;
    const auto* end = value.data() + value.size();
    const auto [stop, failed] = std::from_chars(value.data(), end, length);
    if (head_.length || failed != std::errc{} || stop != end) return fail(fault::ambiguous);
    head_.length = length;
  }

  void read_encoding(std::string_view value) {
    const auto is = [value](std::string_view other) { return equal_ignoring_case(value, other); };
    if (!is("binary") && !is("8bit") && !is("7bit") && !is("identity")) fail(fault::unsupported);
  }

  part_head head_;
  bool named_ = false, typed_ = false;
  fault fault_ = fault::none;
};

}  // namespace

std::variant<part_head, fault> read_part_head(std::string_view lines) {
  return head_reader{}.run(lines);
}

}  // namespace tollgate::routes::readers
