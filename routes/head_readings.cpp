#include "routes/head_readings.hpp"

#include <algorithm>
#include <array>

#include "routes/media_type.hpp"
#include "routes/member_name.hpp"
#include "routes/normal_path.hpp"
#include "routes/readers/coded_body.hpp"
#include "routes/text.hpp"

namespace tollgate::routes {
namespace {

// Removes the text up to `mark`, and the mark, and returns that text.
std::string_view take_until(std::string_view& text, char mark) {
  const auto end = std::min(text.find(mark), text.size());
  const auto taken = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

// Text with broken encoding is returned unchanged.
std::string decode_form(std::string_view text) {
  std::string out{text};
  std::replace(out.begin(), out.end(), '+', ' ');
  return has_broken_encoding(out) ? out : percent_decode(out);
}

// The only header with that name, null if there is none, or the reason why it is ambiguous.
std::variant<const header_view*, std::string> find_header(const request_view& request,
                                                          std::string_view name) {
  const header_view* found = nullptr;
  for (const auto& field : request.headers) {
    if (!same_variable(field.name, name)) continue;
    if (found != nullptr) return "the " + shown(name) + " header is duplicated";
    found = &field;
  }
  if (found != nullptr && !equal_ignoring_case(found->name, name))
    return "the " + shown(name) + " header is ambiguously spelled: " + shown(found->name);
  return found;
}

// Removes and returns the media type of a Content-Type; the parameters remain. Empty if it is
// malformed.
std::string_view take_media_type(std::string_view& content_type) {
  const auto media = without_blanks(take_until(content_type, ';'));
  const auto slash = media.find('/');
  const bool sound =
      slash != media.npos && is_token(media.substr(0, slash)) && is_token(media.substr(slash + 1));
  return sound ? media : std::string_view{};
}

constexpr std::string_view usual_json = "application/json";

problem not_json(const std::string& why) {
  return invalid_request("The price of this call depends on its body, which must be JSON: " + why);
}

}  // namespace

reading read_header(const request_view& request, std::string_view name) {
  auto found = find_header(request, name);
  if (auto* why = std::get_if<std::string>(&found)) return reading::uncertain(std::move(*why));
  const auto* field = std::get<const header_view*>(found);
  return field == nullptr ? reading{} : reading::of(std::string{field->value});
}

reading read_query(std::string_view query, std::string_view name) {
  if (query.find(';') != query.npos)
    return reading::uncertain("the query contains a `;`, which some servers take for `&`");
  const auto folded = fold(name), wanted = skeleton(name);
  std::optional<std::string_view> found;
  bool exact = false;
  while (!query.empty()) {
    auto value = take_until(query, '&');
    const auto written = decode_form(take_until(value, '='));
    const auto bare = std::string_view{written}.substr(0, written.find('['));
    if (!may_be_taken_for(bare, wanted) && fold(bare) != folded) continue;
    if (found) return reading::uncertain("the query member " + shown(name) + " is duplicated");
    found = value;
    exact = written == name;
  }
  if (!found) return {};
  if (!exact)
    return reading::uncertain("the query member " + shown(name) + " is ambiguously spelled");
  if (has_broken_encoding(*found))
    return reading::uncertain("the query member " + shown(name) + " has broken percent-encoding");
  return reading::of(decode_form(*found));
}

reading read_media_type(const request_view& request) {
  auto found = find_header(request, "content-type");
  if (auto* why = std::get_if<std::string>(&found)) return reading::uncertain(std::move(*why));
  const auto* field = std::get<const header_view*>(found);
  if (field == nullptr) return {};
  auto rest = field->value;
  const auto media = take_media_type(rest);
  if (media.empty())
    return reading::uncertain("the Content-Type " + shown(field->value) + " is malformed");
  return reading::of(std::string{media});
}

std::variant<std::string, problem> read_json_type(const request_view& request) {
  constexpr std::string_view suffix = "+json";
  auto found = find_header(request, "content-type");
  if (const auto* why = std::get_if<std::string>(&found)) return not_json(*why + ".");
  const auto* field = std::get<const header_view*>(found);
  if (field == nullptr) return not_json("send it with Content-Type: application/json.");
  if (equal_ignoring_case(field->value, usual_json)) return std::string{usual_json};
  auto rest = field->value;
  const auto media = take_media_type(rest);
  const bool json = equal_ignoring_case(media, usual_json) ||
                    (media.size() > suffix.size() &&
                     equal_ignoring_case(media.substr(media.size() - suffix.size()), suffix));
  if (!json)
    return not_json("send it with Content-Type: application/json, not " + shown(field->value) +
                    ".");
  auto canonical = json_media_type(field->value);
  if (!canonical)
    return not_json("its Content-Type " + shown(field->value) +
                    " could be read in several ways, or says that it is not in UTF-8.");
  return *std::move(canonical);
}

std::variant<std::string, problem> read_codings(const request_view& request) {
  std::string list;
  bool known = true;
  for (const auto& field : request.headers) {
    if (!same_variable(field.name, "content-encoding") || field.value.empty()) continue;
    known = known && equal_ignoring_case(field.name, "content-encoding");
    list.append(list.empty() ? "" : ", ").append(field.value);
  }
  if (equal_ignoring_case(list, "identity")) list.clear();
  if (known && readers::knows_codings(list)) return list;
  return problem{problem_code::unsupported_content_encoding,
                 "The price of this call depends on its body, whose Content-Encoding " +
                     shown(list) + " cannot be read: use one of " +
                     std::string{readers::known_codings} + ", or none.",
                 std::nullopt,
                 {}};
}

bool has_no_body(const request_view& request) {
  constexpr std::array<std::string_view, 4> usually_none{"GET", "HEAD", "DELETE", "OPTIONS"};
  if (std::find(usually_none.begin(), usually_none.end(), request.method) == usually_none.end())
    return false;
  const auto length = request.header("content-length");
  return request.count("transfer-encoding") == 0 && (length.empty() || length == "0");
}

}  // namespace tollgate::routes
