#include "routes/classify.hpp"

#include <algorithm>
#include <optional>

#include "routes/compiled_route.hpp"
#include "routes/estimate.hpp"
#include "routes/head_match.hpp"
#include "routes/head_readings.hpp"
#include "routes/normal_path.hpp"
#include "routes/other_readings.hpp"
#include "routes/readers/coded_body.hpp"
#include "routes/text.hpp"

namespace tollgate::routes {
namespace {

bool fits_ledger(std::string_view text) {
  constexpr std::size_t longest = 256;
  return text.size() <= longest && !has_control(text) && is_utf8(text);
}

problem not_for_ledger(const std::string& what) {
  return invalid_request("The " + what + " is longer than 256 bytes or has control characters.");
}

problem ambiguous_body(const std::string& why) {
  return invalid_request("The price of this call depends on its body, which is ambiguous: " + why +
                         ".");
}

problem no_memory() {
  return {problem_code::overloaded,
          "There is not enough memory to read this body; try again shortly.",
          std::chrono::seconds{1},
          {}};
}

// A reader that iterates over an object or over the characters of a string finds more than one
// query there.
bool is_countable(const reading& told) {
  return told.is == reading::state::absent || told.null || told.is_array;
}

// Walks down the table for one request.
class walk {
 public:
  walk(const std::vector<route>& routes, const std::vector<json_pointer>& pointers,
       const request_view& request, const clean_target& target, const std::string* body,
       std::vector<mismatch>* why, const body_limits& limits)
      : routes_{routes},
        pointers_{pointers},
        request_{request},
        target_{target},
        head_{request, target, why != nullptr},
        body_text_{body},
        limits_{limits},
        why_{why} {}

  classification run();

 private:
  // A route that matched this endpoint but not this body, and the condition that missed. See
  // README, "An endpoint that is priced by its body".
  struct claim {
    std::size_t route = 0;
    bool content_type = false;
    std::vector<std::size_t> pointers;
  };
  using decision = std::optional<classification>;  // none: this route does not take it, continue

  decision consider(std::size_t index);
  decision consider_body(std::size_t index, const head_match& fit);
  decision open_body(std::size_t index);
  std::optional<problem> decode(std::string_view codings);
  decision test_json(std::size_t index);
  classification take(std::size_t index, const head_match& fit);
  std::optional<problem> foretell(classified& out);
  std::optional<problem> multiply(classified& out);
  std::optional<problem> attribute(const head_match& fit, classified& out);

  const claim* barring(std::size_t index) const;
  bool dearer_when_read_exactly(std::size_t index) const;
  const reading& member(std::size_t pointer);
  problem no_route();
  decision pass(std::size_t index, std::string reason);

  const std::vector<route>& routes_;
  const std::vector<json_pointer>& pointers_;
  const request_view& request_;
  const clean_target& target_;
  head_matcher head_;
  const std::string* body_text_;
  const body_limits& limits_;
  std::vector<mismatch>* why_;

  std::string decoded_;  // the body, if it came compressed
  std::optional<json_body> body_;
  std::string content_type_;                     // of a body that was read
  std::vector<std::optional<reading>> members_;  // by pointer, read on first use
  std::vector<claim> claims_;
};

classification walk::run() {
  if (why_ != nullptr) why_->clear();
  // `OPTIONS *` concerns the server, not a resource.
  for (std::size_t i = 0; i < routes_.size() && target_.path != "*"; ++i)
    if (auto decided = consider(i)) return std::move(*decided);
  return no_route();
}

walk::decision walk::consider(std::size_t index) {
  auto fit = head_.match(*routes_[index].patterns);
  switch (fit.is) {
    case head_match::result::fits:
      break;
    case head_match::result::misses:
      return pass(index, std::move(fit.text));
    case head_match::result::misses_content_type:
      claims_.push_back({index, true, {}});
      return pass(index, std::move(fit.text));
    case head_match::result::ambiguous:
      return invalid_request("What decides the price of this call is ambiguous: " + fit.text + ".");
  }
  if (const auto* claim = barring(index))
    return pass(index, why_ == nullptr
                           ? std::string{}
                           : "its path is broader than that of route " +
                                 shown(routes_[claim->route].settings.name) +
                                 ", which prices this endpoint by a body this call does not have");
  if (!routes_[index].patterns->reads_body()) return take(index, fit);
  return consider_body(index, fit);
}

walk::decision walk::consider_body(std::size_t index, const head_match& fit) {
  if (auto decided = open_body(index)) return decided;
  const auto claims_before = claims_.size();
  if (auto decided = test_json(index)) return decided;
  if (claims_.size() != claims_before) return std::nullopt;
  return take(index, fit);
}

// Makes the members readable, or says why they are not readable yet, or ever.
walk::decision walk::open_body(std::size_t index) {
  if (body_ || !members_.empty()) return std::nullopt;
  if (has_no_body(request_) && (body_text_ == nullptr || body_text_->empty())) {
    members_.assign(pointers_.size(), reading{});  // no body follows: every member is absent
    return std::nullopt;
  }
  auto type = read_json_type(request_);
  if (auto* refused = std::get_if<problem>(&type)) return std::move(*refused);
  auto codings = read_codings(request_);
  if (auto* refused = std::get_if<problem>(&codings)) return std::move(*refused);
  if (body_text_ == nullptr) return needs_body{&routes_[index]};
  if (auto refused = decode(std::get<std::string>(codings))) return std::move(*refused);
  const auto& text = decoded_.empty() ? *body_text_ : decoded_;
  if (limits_.may_use && !limits_.may_use(memory_to_parse(text))) return no_memory();
  body_.emplace(text);
  if (body_->is_out_of_memory()) return no_memory();
  if (!body_->error().empty())
    return invalid_request("The price of this call depends on its body, which is not valid JSON: " +
                           body_->error() + ".");
  members_.resize(pointers_.size());
  content_type_ = std::get<std::string>(std::move(type));
  return std::nullopt;
}

std::optional<problem> walk::decode(std::string_view codings) {
  if (codings.empty()) return std::nullopt;
  auto read = readers::decode_body(codings, *body_text_,
                                   {.most_bytes = limits_.most_decoded,
                                    .may_use = limits_.may_use,
                                    .may_go_on = limits_.may_go_on});
  if (read.is == readers::decoding::expands_too_far)
    return problem{problem_code::body_too_large,
                   "The body must be read to price this call. Decoded, it is larger than the limit "
                   "of " +
                       std::to_string(limits_.most_decoded) +
                       " bytes, or more than a hundred times as large as it came.",
                   std::nullopt,
                   {}};
  if (read.is == readers::decoding::takes_too_long)
    return problem{
        problem_code::body_too_large,
        "The body must be read to price this call, and takes too long to decode. Send it "
        "without Content-Encoding.",
        std::nullopt,
        {}};
  if (read.is == readers::decoding::no_memory) return no_memory();
  if (read.is == readers::decoding::done && read.text.empty())
    return ambiguous_body("it is empty when decoded");
  if (read.is != readers::decoding::done)
    return invalid_request("The price of this call depends on its body, whose Content-Encoding (" +
                           std::string{codings} +
                           ") cannot be undone with certainty: " + read.text + ".");
  decoded_ = std::move(read.text);
  return std::nullopt;
}

// Records a claim if a condition misses.
walk::decision walk::test_json(std::size_t index) {
  claim missed{index, false, {}};
  std::string reasons;
  for (const auto& [pointer, any_of] : routes_[index].patterns->json) {
    const auto& value = member(pointer);
    const auto how = test(value, any_of);
    if (how == test_result::ambiguous)
      return ambiguous_body(why_ambiguous("member " + shown(pointers_[pointer].shown()), value));
    if (how == test_result::matches) continue;
    missed.pointers.push_back(pointer);
    if (why_ != nullptr)
      reasons += (reasons.empty() ? "" : "; ") +
                 why_missed("json " + pointers_[pointer].text(), value, any_of);
  }
  if (missed.pointers.empty()) return std::nullopt;
  claims_.push_back(std::move(missed));
  return pass(index, std::move(reasons));
}

classification walk::take(std::size_t index, const head_match& fit) {
  const auto& taken = routes_[index];
  if (fit.path != path_fit::exact && dearer_when_read_exactly(index))
    return invalid_request("The path differs from route " + shown(taken.settings.name) +
                           " in letter case, percent-encoding or a trailing slash, and some "
                           "servers would treat it as a more expensive call: write it as " +
                           taken.patterns->path.text() + ".");
  classified out;
  out.matched = &taken;
  out.content_type = content_type_;
  if (auto refused = foretell(out)) return std::move(*refused);
  if (auto refused = attribute(fit, out)) return std::move(*refused);
  return out;
}

std::optional<problem> walk::foretell(classified& out) {
  static const audio_settings by_default;
  const auto& [settings, price_at, patterns] = *out.matched;
  const auto& pointer = patterns->count ? patterns->count : patterns->characters;
  const auto& told = pointer ? member(*pointer) : reading{};
  if (told.is == reading::state::ambiguous) return ambiguous_body(told.text);
  if (patterns->count && !is_countable(told))
    return invalid_request("The price of this call depends on how many queries it has: " +
                           shown(pointers_[*pointer].shown()) + " must be an array.");
  out.estimated = estimate(price_at, settings.audio ? *settings.audio : by_default, told);
  if (auto refused = multiply(out)) return refused;
  if (price_at.meter != quota::meter_kind::response_audio || members_.empty()) return std::nullopt;
  const auto& format = member(response_format_pointer);
  if (format.is == reading::state::ambiguous) return ambiguous_body(format.text);
  out.wants_raw_pcm = format.text == "pcm";
  return std::nullopt;
}

// Multiplies by the largest member that requests a number of answers: of `best_of` and `n`,
// `best_of` is the number generated.
std::optional<problem> walk::multiply(classified& out) {
  for (const auto pointer : out.matched->patterns->times) {
    const auto& said = member(pointer);
    if (said.is == reading::state::ambiguous) return ambiguous_body(said.text);
    const auto times = times_of(said);
    if (!times)
      return invalid_request(
          "The price of this call depends on " + shown(pointers_[pointer].shown()) +
          ", which must be a whole number from 1 to " + std::to_string(most_times) + ".");
    out.times = std::max(out.times, *times);
  }
  out.estimated.amount *= out.times;
  return std::nullopt;
}

std::optional<problem> walk::attribute(const head_match& fit, classified& out) {
  out.agent = percent_decode(fit.captured.agent);
  out.conversation = percent_decode(fit.captured.conversation);
  out.model = out.matched->settings.model;
  if (out.model.empty() && !members_.empty()) {
    const auto& value = member(model_pointer);
    if (value.is == reading::state::ambiguous) return ambiguous_body(value.text);
    out.model = value.text;
  }
  if (!fits_ledger(out.agent)) return not_for_ledger("agent in the path");
  if (!fits_ledger(out.conversation)) return not_for_ledger("conversation in the path");
  if (!fits_ledger(out.model)) return not_for_ledger("model in the body");
  return std::nullopt;
}

const walk::claim* walk::barring(std::size_t index) const {
  const auto& patterns = *routes_[index].patterns;
  const auto speaks_of = [&](std::size_t pointer) {
    return std::any_of(patterns.json.begin(), patterns.json.end(),
                       [&](const json_condition& c) { return c.pointer == pointer; });
  };
  for (const auto& claim : claims_) {
    if (patterns.within[claim.route]) continue;
    const bool answered = (!claim.content_type || !patterns.content_types.empty()) &&
                          std::all_of(claim.pointers.begin(), claim.pointers.end(), speaks_of);
    if (!answered) return &claim;
  }
  return nullptr;
}

// The route at `index` matches the path only in the lenient reading. A server that reads the path
// exactly would see the endpoint of a later route.
bool walk::dearer_when_read_exactly(std::size_t index) const {
  for (std::size_t i = index + 1; i < routes_.size(); ++i) {
    const auto& later = routes_[i];
    const auto fit = head_.match(*later.patterns);
    if (fit.is != head_match::result::fits || fit.path != path_fit::exact) continue;
    if (may_be_dearer(later, routes_[index])) return true;
    if (later.patterns->json.empty() && barring(i) == nullptr) return false;
  }
  return false;
}

const reading& walk::member(std::size_t pointer) {
  auto& known = members_[pointer];
  if (!known) known = body_->read(pointers_[pointer]);
  return *known;
}

problem walk::no_route() {
  std::string message =
      "No route for " + shortened(request_.method) + " " + shortened(target_.path);
  std::vector<std::size_t> told;
  for (const auto& claim : claims_)
    for (const auto pointer : claim.pointers)
      if (told.size() < 3 && std::find(told.begin(), told.end(), pointer) == told.end())
        told.push_back(pointer);
  for (const auto pointer : told) {
    const auto& value = member(pointer);
    const std::string name = shortened(pointers_[pointer].shown());
    message += told.front() == pointer ? ": " : ", ";
    message += value.is == reading::state::absent ? name + " is missing"
               : value.scalar ? name + " " + shown(value.text) + " matches no route"
                              : name + " matches no route";
  }
  if (told.empty() && !claims_.empty()) message += ": its content type matches no route";
  return {problem_code::no_route, message + ".", std::nullopt, {}};
}

walk::decision walk::pass(std::size_t index, std::string reason) {
  if (why_ != nullptr) why_->push_back({routes_[index].settings.name, std::move(reason)});
  return std::nullopt;
}

}  // namespace

classification route_table::classify(const request_view& request, const clean_target& target,
                                     const std::string* body, std::vector<mismatch>* why,
                                     const body_limits& limits) const {
  static const std::vector<json_pointer> none;
  auto found =
      walk{routes_, pointers_ ? *pointers_ : none, request, target, body, why, limits}.run();
  if (request.websocket) found = check_upgrade(routes_, std::move(found), request, target);
  if (!has_encoded_slash(target.path)) return found;
  return check_decoded_reading(std::move(found), request, target, body, limits);
}

}  // namespace tollgate::routes
