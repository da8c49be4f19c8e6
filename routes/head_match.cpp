#include "routes/head_match.hpp"

#include "routes/head_readings.hpp"
#include "routes/text.hpp"

namespace tollgate::routes {
namespace {

std::string list(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : " or ") + name;
  return out;
}

}  // namespace

std::string why_missed(const std::string& what, const reading& value,
                       const std::vector<glob>& wanted) {
  if (value.is == reading::state::absent) return what + " is missing";
  const auto is = value.null ? "null" : value.scalar ? shown(value.text) : "an array or an object";
  return what + " is " + is + ", not " + to_string(wanted);
}

std::string why_ambiguous(const std::string& what, const reading& value) {
  if (value.is == reading::state::ambiguous) return value.text;
  return "the " + what + " has control characters, blanks at its ends, or is not UTF-8";
}

// Takes a function that makes the text: the text is rarely needed, and every request passes here.
template <class Text>
head_match head_matcher::miss(Text text) const {
  head_match out;
  if (explain_) out.text = text();
  return out;
}

template <class What>
head_match head_matcher::test(What what, const reading& value,
                              const std::vector<glob>& wanted) const {
  head_match out;
  switch (routes::test(value, wanted)) {
    case test_result::matches:
      out.is = head_match::result::fits;
      break;
    case test_result::misses:
      return miss([&] { return why_missed(what(), value, wanted); });
    case test_result::ambiguous:
      out.is = head_match::result::ambiguous;
      out.text = why_ambiguous(what(), value);
      break;
  }
  return out;
}

bool head_matcher::fits_endpoint(const route::compiled& patterns) const {
  path_pattern::captures unused;
  return (patterns.hosts.empty() || matches_any(patterns.hosts, target_.host)) &&
         patterns.path.match(path_, unused) != path_fit::none;
}

head_match head_matcher::match(const route::compiled& patterns) const {
  const auto differs = [](const char* what, std::string_view is, const std::string& wanted) {
    return std::string{what} + " is " + (is.empty() ? "empty" : shortened(is)) + ", not " + wanted;
  };
  if (!patterns.allows_method(request_.method))
    return miss([&] { return differs("method", request_.method, list(patterns.methods)); });
  if (!patterns.hosts.empty() && !matches_any(patterns.hosts, target_.host))
    return miss([&] { return differs("host", target_.host, to_string(patterns.hosts)); });
  head_match out;
  out.path = patterns.path.match(path_, out.captured);
  if (out.path == path_fit::none)
    return miss([&] { return differs("path", target_.path, patterns.path.text()); });

  for (const auto& condition : patterns.headers) {
    const auto what = [&] { return "header " + shortened(condition.name); };
    auto tested = test(what, read_header(request_, condition.name), condition.any_of);
    if (tested.is != head_match::result::fits) return tested;
  }
  for (const auto& condition : patterns.query) {
    const auto what = [&] { return "query member " + shortened(condition.name); };
    auto tested = test(what, read_query(target_.query, condition.name), condition.any_of);
    if (tested.is != head_match::result::fits) return tested;
  }
  if (!patterns.content_types.empty()) {
    const auto what = [] { return std::string{"content type"}; };
    auto tested = test(what, read_media_type(request_), patterns.content_types);
    if (tested.is == head_match::result::misses)
      tested.is = head_match::result::misses_content_type;
    if (tested.is != head_match::result::fits) return tested;
  }
  out.is = head_match::result::fits;
  return out;
}

}  // namespace tollgate::routes
