#include "routes/readers/multipart.hpp"

#include <algorithm>

#include "routes/member_name.hpp"
#include "routes/normal_path.hpp"
#include "routes/readers/parameters.hpp"
#include "routes/text.hpp"

namespace tollgate::routes::readers {
namespace {

constexpr std::size_t longest_boundary = 70;

bool is_boundary(std::string_view text) {
  // A comma is also allowed, but some readers end a boundary there.
  static constexpr std::string_view others = "0123456789'()+_-./:=? ";
  const auto is_bchar = [](char c) {
    return is_alpha(c) || others.find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= longest_boundary && text.back() != ' ' &&
         text.front() != ' ' && std::all_of(text.begin(), text.end(), is_bchar);
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

// The name as servers see it that read brackets as a list or remove quotes.
std::string loosely(std::string_view name) {
  name = name.substr(0, name.find('['));
  while (name.starts_with('"') || name.starts_with('\'')) name.remove_prefix(1);
  while (name.ends_with('"') || name.ends_with('\'')) name.remove_suffix(1);
  return has_broken_encoding(name) ? std::string{name} : percent_decode(name);
}

// Whether `base` occurs in one of the forms of RFC 2231: `name*`, `name*0`, `name*0*`.
bool has_extended(const parameterized& read, std::string_view base) {
  return std::any_of(read.parameters.begin(), read.parameters.end(), [base](const parameter& each) {
    return each.name.size() > base.size() && each.name.starts_with(base) &&
           each.name[base.size()] == '*';
  });
}

}  // namespace

std::optional<std::string> boundary_of(std::string_view content_type) {
  const auto read = read_parameters(content_type);
  if (!read) return {};
  const auto* boundary = read->only("boundary");
  if (boundary == nullptr || !is_boundary(*boundary)) return {};
  // Go's reader prefers the extended form, and some readers ignore escapes: two boundaries in one
  // header mean two readings of the body.
  if (has_extended(*read, "boundary") || content_type.find('\\') != content_type.npos) return {};
  return *boundary;
}

multipart::multipart(std::optional<std::string> boundary, multipart_settings settings, sink& target)
    : reader{target},
      settings_{std::move(settings)},
      delimiter_{boundary.value_or("")},
      stray_{boundary.value_or("")} {
  for (const auto& name : settings_.fields) fields_.push_back({name, {}, false});
  delimiter_.begin_line();
  if (!boundary) fail(fault::malformed);
}

const std::string* multipart::field(std::string_view name) const {
  for (const auto& each : fields_)
    if (each.found && each.name == name) return &each.text;
  return nullptr;
}

void multipart::read(std::string_view piece) {
  while (!piece.empty() && !failed()) {
    switch (state_) {
      case state::delimiter_line:
        read_delimiter_line(piece.front());
        piece.remove_prefix(1);
        break;
      case state::header:
        read_header(piece.front());
        piece.remove_prefix(1);
        break;
      default:
        piece = read_content(piece);
    }
  }
}

void multipart::read_end() {
  const bool closed =
      state_ == state::epilogue || (state_ == state::delimiter_line && line_ == line::closing);
  if (!closed) return fail(fault::truncated);
  if (!found_audio_) fail(fault::missing);
}

// --- Boundaries

std::string_view multipart::read_content(std::string_view piece) {
  using result = delimiter::result;
  const auto found = delimiter_.search(piece);
  take_content(found.before);
  take_content(found.content);
  piece.remove_prefix(found.used);
  if (found.is == result::nothing) return piece;
  const bool certain =
      found.is == result::found || (found.is == result::found_at_once && state_ == state::preamble);
  if (has_preamble_ && state_ == state::preamble) fail(fault::ambiguous);
  if (!certain || state_ == state::epilogue) fail(fault::ambiguous);
  end_part();
  state_ = state::delimiter_line;
  line_ = line::open;
  return piece;
}

// After the boundary: CRLF; or "--", blanks and CRLF, or the end of the body.
void multipart::read_delimiter_line(char c) {
  switch (line_) {
    case line::open:
      if (c != '\r' && c != '-') return fail(fault::ambiguous);
      line_ = c == '\r' ? line::cr : line::dash;
      return;
    case line::dash:
      if (c != '-') return fail(fault::ambiguous);
      line_ = line::closing;
      return;
    case line::closing:
      if (c != '\r' && !is_blank(c)) return fail(fault::ambiguous);
      if (c == '\r') line_ = line::closing_cr;
      return;
    case line::cr:
    case line::closing_cr:
      if (c != '\n') return fail(fault::ambiguous);
      state_ = line_ == line::cr ? state::header : state::epilogue;
      if (state_ == state::epilogue) delimiter_.begin_line();
  }
}

// --- Headers of parts

void multipart::read_header(char c) {
  constexpr std::string_view end_of_lines = "\r\n\r\n";
  header_ += c;
  if (header_.size() > longest_header) return fail(fault::malformed);
  if (header_ == "\r\n" || header_.ends_with(end_of_lines)) end_header();
}

void multipart::end_header() {
  if (stray_.find_end(header_) != stray_boundary::nowhere) return fail(fault::ambiguous);
  stray_.restart();
  auto read = read_part_head(header_);
  header_.clear();
  if (const auto* wrong = std::get_if<fault>(&read)) return fail(*wrong);
  part_ = std::get<part_head>(std::move(read));
  begin_part();
}

// --- Parts

void multipart::begin_part() {
  // This field changes how a reader decodes the other fields (RFC 7578, 4.6).
  if (may_be_taken_for(part_.name, skeleton("_charset_"))) return fail(fault::ambiguous);
  in_audio_ = is_meant_by_part(settings_.audio, found_audio_);
  if (in_audio_) file_names_ = part_.file_names;
  found_audio_ = found_audio_ || in_audio_;
  for (auto& each : fields_) {
    if (!is_meant_by_part(each.name, each.found)) continue;
    each.found = true;
    in_field_ = &each;
  }
  state_ = state::content;
  delimiter_.begin_line();
}

bool multipart::is_meant_by_part(const std::string& wanted, bool found) {
  if (part_.name != wanted) {
    if (may_be_taken_for(loosely(part_.name), skeleton(loosely(wanted)))) fail(fault::ambiguous);
    return false;
  }
  if (found) fail(fault::ambiguous);
  return true;
}

void multipart::end_part() {
  if (state_ == state::content && part_.length && *part_.length != part_bytes_)
    fail(fault::ambiguous);
  in_audio_ = false;
  in_field_ = nullptr;
  part_bytes_ = 0;
  stray_.restart();
}

void multipart::take_content(std::string_view piece) {
  if (piece.empty()) return;
  const auto stray = stray_.find_end(piece);
  if (stray != stray_boundary::nowhere) piece = piece.substr(0, stray);
  if (state_ == state::content) pass_on(piece);
  // Django also reads a part before the first boundary.
  if (state_ == state::preamble) has_preamble_ = true;
  if (state_ == state::epilogue && piece.find_first_not_of("\r\n") != piece.npos)
    fail(fault::ambiguous);
  if (stray != stray_boundary::nowhere) fail(fault::ambiguous);
}

void multipart::pass_on(std::string_view piece) {
  part_bytes_ += piece.size();
  if (in_audio_) target().write(piece);
  if (in_field_ == nullptr) return;
  if (in_field_->text.size() + piece.size() > longest_field) return fail(fault::malformed);
  in_field_->text.append(piece);
}

}  // namespace tollgate::routes::readers
