#include "routes/readers/multipart.hpp"

#include <algorithm>

#include "routes/readers/parameters.hpp"
#include "routes/text.hpp"

namespace tollgate::routes::readers {
namespace {

constexpr std::size_t longest_boundary = 70;

bool is_boundary(std::string_view text) {
  // A comma is allowed, too, but some readers end a boundary there.
  static constexpr std::string_view others = "0123456789'()+_-./:=? ";
  const auto is_bchar = [](char c) {
    return is_alpha(c) || others.find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= longest_boundary && text.back() != ' ' &&
         std::all_of(text.begin(), text.end(), is_bchar);
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

bool has_line_break(std::string_view line) {
  return line.find_first_of(std::string_view{"\r\n\0", 3}) != line.npos;
}

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// What servers that ignore case or blanks, or read brackets as a list, make of a name.
std::string loosely(std::string_view name) {
  return fold(without_blanks(name.substr(0, name.find('['))));
}

// `base` in one of the forms of RFC 2231: `name*`, `name*0`, `name*0*`.
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
  // Go's reader prefers the extended form, and not everybody knows of escapes: two boundaries in
  // one header are two forms in one body.
  if (has_extended(*read, "boundary") || content_type.find('\\') != content_type.npos) return {};
  return *boundary;
}

multipart::multipart(std::optional<std::string> boundary, multipart_settings settings, sink& target)
    : reader{target}, settings_{std::move(settings)}, delimiter_{boundary.value_or("")} {
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
  if (state_ == state::content) {
    take_content(found.before);
    take_content(found.content);
  }
  piece.remove_prefix(found.used);
  if (found.is == result::nothing) return piece;
  const bool certain =
      found.is == result::found || (found.is == result::found_at_once && state_ == state::preamble);
  if (!certain || state_ == state::epilogue) fail(fault::ambiguous);
  end_part();
  state_ = state::delimiter_line;
  line_ = line::open;
  return piece;
}

// Behind the boundary: CRLF; or "--", blanks and CRLF, or the end.
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
  part_name_.reset();
  part_file_names_.clear();
  std::string_view rest{header_};
  while (rest != "\r\n" && !failed()) {
    const auto line = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(line.size() + 2);
    const auto colon = std::min(line.find(':'), line.size());
    const auto name = line.substr(0, colon);
    // A line that begins with a blank goes on with the one before; hardly anybody still reads that.
    if (colon == line.size() || !is_token(name) || has_line_break(line))
      return fail(fault::malformed);
    read_field(name, without_blanks(line.substr(colon + 1)));
  }
  header_.clear();
  if (!failed()) begin_part();
}

void multipart::read_field(std::string_view name, std::string_view value) {
  if (equal_ignoring_case(name, "content-disposition")) return read_disposition(value);
  if (equal_ignoring_case(name, "content-type")) return read_type(value);
  if (!equal_ignoring_case(name, "content-transfer-encoding")) return;
  const bool plain = equal_ignoring_case(value, "binary") || equal_ignoring_case(value, "8bit") ||
                     equal_ignoring_case(value, "7bit");
  if (!plain) fail(fault::unsupported);
}

// A form in a part, as RFC 2388 had it for several files of one name: some read its parts in place
// of this one.
void multipart::read_type(std::string_view value) {
  if (fold(value.substr(0, value.find('/'))) == "multipart") fail(fault::ambiguous);
}

// RFC 7578, 4.2, forbids `name*`, but some parsers for mail read it, and `name*0`, as the name.
void multipart::read_disposition(std::string_view value) {
  const auto read = read_parameters(value);
  if (!read || !equal_ignoring_case(read->value, "form-data") || read->count("name") == 0)
    return fail(fault::malformed);
  const auto* name = read->only("name");
  if (name == nullptr || has_extended(*read, "name") || part_name_) return fail(fault::ambiguous);
  // Readers from the world of mail decode such words (RFC 2047) in a name.
  if (name->find("=?") != name->npos) return fail(fault::ambiguous);
  part_name_ = *name;
  for (const auto& each : read->parameters)
    if (each.name.starts_with("filename")) part_file_names_.push_back(each.value);
}

// --- Parts

void multipart::begin_part() {
  if (!part_name_) return fail(fault::malformed);
  in_audio_ = is_meant_by_part(settings_.audio, found_audio_);
  if (in_audio_) file_names_ = part_file_names_;
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
  if (*part_name_ != wanted) {
    if (loosely(*part_name_) == loosely(wanted)) fail(fault::ambiguous);
    return false;
  }
  if (found) fail(fault::ambiguous);
  return true;
}

void multipart::end_part() {
  in_audio_ = false;
  in_field_ = nullptr;
}

void multipart::take_content(std::string_view piece) {
  if (piece.empty()) return;
  if (in_audio_) target().write(piece);
  if (in_field_ == nullptr) return;
  if (in_field_->text.size() + piece.size() > longest_field) return fail(fault::malformed);
  in_field_->text.append(piece);
}

}  // namespace tollgate::routes::readers
