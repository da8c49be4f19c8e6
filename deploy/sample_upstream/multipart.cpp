#include "deploy/sample_upstream/multipart.hpp"

#include <algorithm>

namespace tollgate::sample_upstream {

namespace {

constexpr std::size_t max_head = 16 * 1024, max_value = 4 * 1024, max_fields = 100;

std::string lower_case(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return out;
}

// The parameter `name` of a field value such as `form-data; name="file"; filename="a.wav"`, empty
// if there is none.
std::string parameter(std::string_view value, std::string_view name) {
  const auto lower = lower_case(value);
  for (auto at = lower.find(';'); at != lower.npos; at = lower.find(';', at + 1)) {
    const auto begin = lower.find_first_not_of(" \t", at + 1);
    if (begin == lower.npos || lower.compare(begin, name.size(), name) != 0) continue;
    auto rest = value.substr(begin + name.size());
    if (!rest.starts_with('=')) continue;
    rest.remove_prefix(1);
    if (!rest.starts_with('"')) return std::string{rest.substr(0, rest.find_first_of("; \t\r"))};
    return std::string{rest.substr(1, rest.find('"', 1) - 1)};
  }
  return {};
}

// The value of a part's Content-Disposition.
std::string_view disposition(std::string_view head) {
  constexpr std::string_view name = "\r\ncontent-disposition:";
  const auto at = lower_case(head).find(name);
  if (at == head.npos) return {};
  const auto value = head.substr(at + name.size());
  return value.substr(0, value.find("\r\n"));
}

}  // namespace

std::string_view multipart_reader::field(std::string_view name) const {
  const auto found = fields_.find(name);
  return found == fields_.end() ? std::string_view{} : found->second;
}

void multipart_reader::write(std::string_view piece) {
  held_ += piece;
  while (advance()) {
  }
}

// False if more bytes are needed.
bool multipart_reader::advance() {
  switch (state_) {
    case state::preamble:
    case state::content:
      return pass_content();
    case state::boundary:
      return pass_boundary();
    case state::head:
      return pass_head();
    case state::complete:
    case state::malformed:
      held_.clear();
      return false;
  }
  return false;
}

// Passes on bytes that cannot be the start of a delimiter.
bool multipart_reader::pass_content() {
  const auto end = held_.find(delimiter_);
  const bool found = end != held_.npos;
  const auto kept = std::min(held_.size(), delimiter_.size() - 1);
  const auto size = found ? end : held_.size() - kept;
  take(std::string_view{held_}.substr(0, size));
  held_.erase(0, found ? size + delimiter_.size() : size);
  if (found) state_ = state::boundary;
  return found;
}

// After a delimiter comes "--" if it was the last one, otherwise a line break, which is kept as the
// one before the first header line.
bool multipart_reader::pass_boundary() {
  if (held_.size() < 2) return false;
  if (held_.starts_with("--")) {
    state_ = state::complete;
    return true;
  }
  const auto padding = std::min(held_.find_first_not_of(" \t"), held_.size());
  held_.erase(0, padding);
  if (held_.size() < 2) return false;
  state_ = held_.starts_with("\r\n") ? state::head : state::malformed;
  return true;
}

bool multipart_reader::pass_head() {
  const auto end = held_.find("\r\n\r\n");
  if (end == held_.npos) {
    if (held_.size() <= max_head) return false;
    state_ = state::malformed;
    return true;
  }
  begin_part(std::string_view{held_}.substr(0, end));
  held_.erase(0, end + 4);
  state_ = state::content;
  return true;
}

void multipart_reader::begin_part(std::string_view head) {
  const auto value = disposition(head);
  const auto name = parameter(value, "name");
  is_file_ = name == "file";
  if (is_file_ && !file_bytes_) file_bytes_ = 0;
  const bool kept = !is_file_ && (fields_.size() < max_fields || fields_.contains(name));
  value_ = kept ? &fields_[name] : nullptr;
  if (kept) value_->clear();
}

void multipart_reader::take(std::string_view content) {
  if (state_ == state::preamble) return;
  if (is_file_) *file_bytes_ += content.size();
  if (value_ != nullptr) value_->append(content, 0, max_value - value_->size());
}

std::string multipart_boundary(std::string_view content_type) {
  if (!lower_case(content_type).starts_with("multipart/form-data")) return {};
  return parameter(content_type, "boundary");
}

}  // namespace tollgate::sample_upstream
