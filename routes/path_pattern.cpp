#include "routes/path_pattern.hpp"

#include <algorithm>

#include "routes/normal_path.hpp"
#include "routes/pattern_algebra.hpp"
#include "routes/text.hpp"

namespace tollgate::routes {

path_segments::path_segments(std::string_view normalised) {
  trailing_slash_ = normalised.size() > 1 && normalised.ends_with('/');
  for (std::size_t at = 0; at < normalised.size();) {
    const auto begin = at + 1;
    at = std::min(normalised.find('/', begin), normalised.size());
    const auto raw = normalised.substr(begin, at - begin);
    if (!raw.empty()) segments_.push_back({raw, raw});
  }
  const auto changes = [](char c) { return c == '%' || lower(c) != c; };
  if (std::none_of(normalised.begin(), normalised.end(), changes)) return;
  decoded_.reserve(normalised.size());  // never grows beyond this, so views into it stay valid
  for (auto& segment : segments_) {
    const auto from = decoded_.size();
    decoded_ += fold(percent_decode(segment.raw));
    segment.folded = std::string_view{decoded_}.substr(from);
  }
}

std::variant<path_pattern, std::string> path_pattern::parse(std::string_view text) {
  path_pattern out;
  out.text_ = text.empty() ? "/**" : text;
  text = out.text_;
  if (!text.starts_with('/')) return "does not begin with a slash";
  if (text.ends_with("//")) return "contains an empty segment (`//`)";
  if (text.size() > 1024) return "is longer than 1024 bytes";
  out.trailing_slash_ = text.size() > 1 && text.ends_with('/');
  if (out.trailing_slash_) text.remove_suffix(1);
  for (std::size_t at = 0; at < text.size() && text != "/";) {
    const auto begin = at + 1;
    at = std::min(text.find('/', begin), text.size());
    auto parsed = parse_element(text.substr(begin, at - begin));
    if (auto* wrong = std::get_if<std::string>(&parsed)) return std::move(*wrong);
    if (auto wrong = out.add(std::move(std::get<element>(parsed)))) return std::move(*wrong);
  }
  return out;
}

// Two adjacent `**` mean the same as one. A name matches one segment only.
std::optional<std::string> path_pattern::add(element next) {
  if (next.what == kind::run && !elements_.empty() && elements_.back().what == kind::run)
    return "repeats `**`";
  for (const auto& before : elements_)
    if (!next.capture.empty() && next.capture == before.capture)
      return "captures {" + next.capture + "} twice";
  plain_ =
      plain_ && (next.what == kind::glob ? fold(next.raw) == next.raw : next.raw == next.folded);
  elements_.push_back(std::move(next));
  return std::nullopt;
}

std::variant<path_pattern::element, std::string> path_pattern::parse_element(
    std::string_view text) {
  element out;
  if (text.empty()) return "contains an empty segment (`//`)";
  if (text == "**" || text == "*") {
    out.what = text == "*" ? kind::any : kind::run;
    return out;
  }
  if (text.find_first_of("{}") != text.npos) {
    const auto name = text.substr(1, text.size() - std::min<std::size_t>(text.size(), 2));
    const bool sound = text.front() == '{' && text.back() == '}' && !name.empty() &&
                       std::all_of(name.begin(), name.end(),
                                   [](char c) { return is_alpha(c) || is_digit(c) || c == '_'; });
    if (!sound) return "must have `{name}` (letters, digits, _) as a whole segment";
    out.what = kind::any;
    out.capture = name;
    if (name == "agent") out.into = &captures::agent;
    if (name == "conversation") out.into = &captures::conversation;
    return out;
  }
  if (text.find("**") != text.npos) return "must have `**` as a whole segment";
  if (text.find_first_of("?#") != text.npos)
    return "contains `?` or `#`: query members are matched by `query`, single characters not at "
           "all";
  // Patterns are normalised like the paths they are compared with. `*` is a valid path character.
  auto normal = normalise_path(std::string{'/'}.append(text));
  const auto* path = std::get_if<std::string>(&normal);
  if (path == nullptr || *path == "/" || path->size() < 2)
    return "contains a segment that no request can have: " + shown(text);
  out.raw = path->substr(1);
  const auto decoded = percent_decode(out.raw);
  if (std::any_of(decoded.begin(), decoded.end(), [](char c) { return (c & 0x80) != 0; }))
    return "contains characters beyond ASCII, whose letter case upstreams treat differently: write "
           "`*`";
  if (decoded.find_first_of("*?") == decoded.npos) {
    out.folded = fold(decoded);
    return out;
  }
  if (out.raw.find('%') != out.raw.npos) return "mixes `*` and percent-encoding in one segment";
  auto wildcard = glob::parse(decoded);
  if (auto* wrong = std::get_if<std::string>(&wildcard)) return "contains a segment that " + *wrong;
  out.what = kind::glob;
  out.wildcard = std::move(std::get<glob>(wildcard));
  return out;
}

// After a mismatch only the last `**` has to match one segment more; see glob_matches.
template <class Fits>
bool path_pattern::walk(const path_segments& path, captures& found, Fits fits) const {
  constexpr auto none = static_cast<std::size_t>(-1);
  std::size_t p = 0, s = 0, after_run = none, resume = 0;
  while (s < path.size()) {
    if (p < elements_.size() && elements_[p].what == kind::run) {
      after_run = ++p;
      resume = s;
    } else if (p < elements_.size() && fits(elements_[p], path[s])) {
      if (elements_[p].into != nullptr) found.*elements_[p].into = path[s].raw;
      ++p;
      ++s;
    } else if (after_run != none) {
      p = after_run;
      s = ++resume;
    } else {
      return false;
    }
  }
  return p == elements_.size() || (p + 1 == elements_.size() && elements_[p].what == kind::run);
}

path_fit path_pattern::match(const path_segments& path, captures& found) const {
  const auto might = [](const element& e, const path_segments::segment& s) {
    if (e.what == kind::any) return true;
    return e.what == kind::literal ? e.folded == s.folded : e.wildcard->matches(s.folded);
  };
  const auto does = [&](const element& e, const path_segments::segment& s) {
    if (e.what == kind::any) return true;
    return e.what == kind::literal ? e.raw == s.raw : might(e, s) && glob_matches(e.raw, s.raw);
  };
  if (!walk(path, found, might)) return path_fit::none;
  captures unused;
  const bool open_end = !elements_.empty() && elements_.back().what == kind::run;
  const bool same_end = open_end || trailing_slash_ == path.trailing_slash();
  if (!same_end) return path_fit::lenient;
  return (plain_ && path.plain()) || walk(path, unused, does) ? path_fit::exact : path_fit::lenient;
}

bool path_pattern::captures_slashes(const path_segments& path) const {
  const auto is_run = [](const element& e) { return e.what == kind::run; };
  const auto run = std::find_if(elements_.begin(), elements_.end(), is_run);
  if (run != elements_.end() && std::any_of(run + 1, elements_.end(), is_run)) return false;
  const auto head = static_cast<std::size_t>(run - elements_.begin());
  const auto tail = run == elements_.end() ? 0 : elements_.size() - head - 1;
  for (std::size_t s = 0; s < path.size(); ++s) {
    if (!has_encoded_slash(path[s].raw)) continue;
    const auto from_end = path.size() - s;
    if (s >= head && from_end > tail) return false;  // the `**` takes it
    const auto& taker = elements_[s < head ? s : elements_.size() - from_end];
    if (taker.what != kind::any) return false;
  }
  return true;
}

bool path_pattern::covers(const path_pattern& other) const {
  const auto covers_one = [](const element& a, const element& b) {
    if (a.what == kind::any) return true;
    if (b.what == kind::any) return false;
    if (a.what == kind::literal) return b.what == kind::literal && a.folded == b.folded;
    return b.what == kind::literal ? a.wildcard->matches(b.folded)
                                   : a.wildcard->covers(*b.wildcard);
  };
  return covers_sequence(
      elements_, other.elements_, [](const element& e) { return e.what == kind::run; }, covers_one);
}

bool path_pattern::overlaps(const path_pattern& other) const {
  const auto overlaps_one = [](const element& a, const element& b) {
    if (a.what == kind::any || b.what == kind::any) return true;
    if (a.what == kind::literal && b.what == kind::literal) return a.folded == b.folded;
    if (a.what == kind::literal) return b.wildcard->matches(a.folded);
    if (b.what == kind::literal) return a.wildcard->matches(b.folded);
    return a.wildcard->overlaps(*b.wildcard);
  };
  return overlaps_sequence(
      elements_, other.elements_, [](const element& e) { return e.what == kind::run; },
      overlaps_one);
}

}  // namespace tollgate::routes
