#include "routes/credential.hpp"

#include <algorithm>
#include <optional>

#include "routes/normal_path.hpp"
#include "routes/text.hpp"

namespace tollgate::routes {
namespace {

// These messages never repeat what the caller sent: it may be a key of another service, sent by
// mistake, and messages end up in logs.
problem unauthorized(problem_code code, std::string message) {
  return {code, std::move(message), std::nullopt, {}};
}

problem missing() {
  return unauthorized(problem_code::missing_api_key,
                      "No API key: send `Authorization: Bearer KEY` or `x-api-key: KEY`.");
}

problem malformed() {
  return unauthorized(problem_code::invalid_api_key,
                      "The API key is malformed: send `Authorization: Bearer KEY` or "
                      "`x-api-key: KEY`, with one key of at most 512 letters, digits and -._~+/=.");
}

bool is_key(std::string_view text) {
  constexpr std::size_t longest = 512;
  constexpr std::string_view others = "-._~+/=";
  return !text.empty() && text.size() <= longest &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return is_alpha(c) || is_digit(c) || others.find(c) != others.npos;
         });
}

// The key in `Bearer KEY`; empty for any other value.
std::string_view bearer_key(std::string_view value) {
  const auto blank = value.find(' ');
  if (blank == value.npos || !equal_ignoring_case(value.substr(0, blank), "bearer")) return {};
  return value.substr(std::min(value.find_first_not_of(' ', blank), value.size()));
}

// Every key that Tollgate has ever made begins like this, and no key of a vendor does.
bool has_our_form(std::string_view text) {
  return text.starts_with("tg_") && is_key(text);
}

// Collects credentials from one place after the other, and keeps the one that counts.
class found_credential {
 public:
  // `text`: the key, or empty if the place has something that is not a key.
  void add(std::string_view text) {
    const bool ours = has_our_form(text);
    if (!any_ || (ours && !ours_)) {
      text_ = text;
      ours_ = ours;
      differ_ = false;  // others do not matter beside one of ours
    } else if (ours == ours_ && text != text_) {
      differ_ = true;
    }
    any_ = true;
  }
  bool any() const { return any_; }

  std::variant<std::string_view, problem> result() const {
    if (!any_) return missing();
    if (differ_)
      return invalid_request(ours_ ? "The request carries two different Tollgate keys: send one of "
                                     "them."
                                   : "The request carries different credentials, and none has the "
                                     "form of a Tollgate key: send one of them.");
    if (!ours_ && !is_key(text_)) return malformed();
    return text_;
  }

 private:
  std::string_view text_;
  bool any_ = false, ours_ = false, differ_ = false;
};

bool is_any_of(std::string_view name, std::span<const std::string> names) {
  return std::any_of(names.begin(), names.end(),
                     [name](const std::string& each) { return equal_ignoring_case(name, each); });
}

// Calls `take(name, value, is_authorization)` for each header that may carry a credential.
template <class Take>
void for_each_place(const request_view& request, const credential_places& more, Take take) {
  constexpr std::string_view bearer = "authorization", api_key = "x-api-key";
  for (const auto& field : request.headers) {
    const bool is_bearer = equal_ignoring_case(field.name, bearer);
    if (!is_bearer && !equal_ignoring_case(field.name, api_key) &&
        (more.headers.empty() || !is_any_of(field.name, more.headers)))
      continue;
    take(field.name, field.value, is_bearer);
  }
}

}  // namespace

std::variant<std::string_view, problem> read_credential(const request_view& request,
                                                        const credential_places& more) {
  found_credential found;
  std::string_view repeated;
  for_each_place(request, more, [&](std::string_view name, std::string_view value, bool is_bearer) {
    if (request.count(name) > 1) repeated = name;
    if (!value.empty()) found.add(is_bearer ? bearer_key(value) : value);
  });
  if (!repeated.empty()) return invalid_request("Several " + std::string{repeated} + " headers.");
  if (!more.from_query.empty()) found.add(more.from_query);
  return found.result();
}

bool has_credential(const request_view& request, const credential_places& more) {
  bool found = !more.from_query.empty();
  for_each_place(request, more, [&](std::string_view, std::string_view, bool) { found = true; });
  return found;
}

std::variant<std::string, problem> take_query_key(clean_target& target, std::string_view name) {
  std::string rest, found;
  bool any = false;
  for (std::size_t at = 0; at < target.query.size();) {
    const auto end = std::min(target.query.find('&', at), target.query.size());
    const auto member = std::string_view{target.query}.substr(at, end - at);
    at = end + 1;
    const auto equals = std::min(member.find('='), member.size());
    const auto written = member.substr(0, equals);
    if (has_broken_encoding(written) || percent_decode(written) != name) {
      if (!rest.empty()) rest += '&';
      rest += member;
      continue;
    }
    const auto value = member.substr(std::min(equals + 1, member.size()));
    if (any || has_broken_encoding(value))
      return invalid_request("The query member " + shown(name) + " is repeated or malformed.");
    any = true;
    found = percent_decode(value);
  }
  if (any) target.query = std::move(rest);
  return found;
}

}  // namespace tollgate::routes
