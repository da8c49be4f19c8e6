#include <algorithm>

#include "routes/compiled_route.hpp"
#include "routes/text.hpp"

namespace tollgate::routes {
namespace {

// The ledger refuses longer attribution.
constexpr std::size_t longest_attribution = 256;

class compiler {
 public:
  compiler(const route_settings& settings, const std::vector<std::string>& times,
           pointer_numbers& numbers, std::vector<route_error>& errors)
      : settings_{settings}, times_{times}, numbers_{numbers}, errors_{errors} {}

  std::shared_ptr<route::compiled> run() {
    const auto before = errors_.size();
    attribution();
    methods();
    hosts();
    path();
    out_->headers = named("headers", settings_.match.headers);
    out_->query = named("query", settings_.match.query);
    for (const auto& header : out_->headers)
      if (!is_token(header.name)) wrong("header " + shown(header.name) + " is not a header name");
    content_types();
    json();
    if (!settings_.count.empty()) out_->count = pointer("count", settings_.count);
    for (const auto& each : times_) out_->times.push_back(pointer("times", each));
    if (settings_.audio) audio(*settings_.audio);
    return errors_.size() == before ? std::move(out_) : nullptr;
  }

 private:
  void wrong(std::string what) {
    errors_.push_back({settings_.at, "route " + shown(settings_.name) + ": " + std::move(what)});
  }

  void attribution() {
    for (const auto& [what, text] : {std::pair{"name", &settings_.name},
                                     {"action", &settings_.action},
                                     {"model", &settings_.model}})
      if (text->size() > longest_attribution || !is_certain(*text))
        wrong(std::string{what} + " must be at most 256 bytes of UTF-8 without control characters");
  }

  void methods() {
    for (const auto& method : settings_.match.methods) {
      std::string upper = method;
      for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
      if (!is_token(method))
        wrong("method " + shown(method) + " is not a method");
      else if (method != upper)
        wrong("a method is written in capitals; did you mean \"" + upper + "\"?");
      out_->methods.push_back(method);
    }
  }

  std::vector<glob> parse(const std::string& what, const globs& texts) {
    std::vector<glob> out;
    for (const auto& text : texts) {
      auto parsed = glob::parse(text);
      if (const auto* why = std::get_if<std::string>(&parsed))
        wrong(what + ": the pattern " + shown(text) + " " + *why);
      else
        out.push_back(std::move(std::get<glob>(parsed)));
    }
    return out;
  }

  void hosts() {
    out_->hosts = parse("host", settings_.match.hosts);
    for (const auto& host : settings_.match.hosts)
      if (!host.starts_with('[') && host.find_first_of(":/") != host.npos)
        wrong("host " + shown(host) + " must be a name without scheme and port");
  }

  void path() {
    auto parsed = path_pattern::parse(settings_.match.path);
    if (const auto* why = std::get_if<std::string>(&parsed))
      wrong("path " + shown(settings_.match.path) + " " + *why);
    else
      out_->path = std::move(std::get<path_pattern>(parsed));
  }

  void content_types() {
    out_->content_types = parse("content_type", settings_.match.content_types);
    for (const auto& type : settings_.match.content_types)
      if (type.find_first_of("; ,") != type.npos)
        wrong("content_type " + shown(type) + " must be one media type without parameters");
  }

  std::vector<named_condition> named(const std::string& what,
                                     const std::vector<std::pair<std::string, globs>>& conditions) {
    std::vector<named_condition> out;
    for (const auto& [name, values] : conditions) {
      if (name.empty() || !is_certain(name)) wrong(what + ": " + shown(name) + " is not a name");
      needs_values(what + " " + shown(name), values);
      out.push_back({name, parse(what + " " + shown(name), values)});
    }
    return out;
  }

  void needs_values(const std::string& what, const globs& values) {
    if (values.empty()) wrong(what + " has no values, so it can never match; \"*\" means any");
  }

  std::size_t pointer(const std::string& what, const std::string& text) {
    const auto parsed = json_pointer::parse(text);
    if (const auto* found = std::get_if<json_pointer>(&parsed)) return numbers_.number_of(*found);
    wrong(what + " " + shown(text) + " " + std::get<std::string>(parsed));
    return model_pointer;
  }

  void json() {
    for (const auto& [where, values] : settings_.match.json) {
      needs_values("json " + shown(where), values);
      out_->json.push_back({pointer("json", where), parse("json " + shown(where), values)});
    }
  }

  void audio(const audio_settings& audio) {
    const auto& spoken = audio.estimate.characters;
    if (!spoken.empty()) out_->characters = pointer("audio.estimate.characters", spoken);
    for (const auto& [what, text] :
         {std::pair{"audio.json", &audio.json}, {"audio.event_json", &audio.event_json}}) {
      const auto parsed = json_pointer::parse(*text);
      if (const auto* why = std::get_if<std::string>(&parsed))
        wrong(std::string{what} + " " + shown(*text) + " " + *why);
    }
  }

  const route_settings& settings_;
  const std::vector<std::string>& times_;
  pointer_numbers& numbers_;
  std::vector<route_error>& errors_;
  std::shared_ptr<route::compiled> out_ = std::make_shared<route::compiled>();
};

}  // namespace

// HEAD costs a server as much as GET: most frameworks run the same handler.
bool route::compiled::allows_method(std::string_view method) const {
  return methods.empty() || std::any_of(methods.begin(), methods.end(), [&](const auto& allowed) {
           return allowed == method || (allowed == "GET" && method == "HEAD");
         });
}

std::size_t pointer_numbers::number_of(const json_pointer& pointer) {
  const auto same = [&](const json_pointer& known) { return known.text() == pointer.text(); };
  const auto at = std::find_if(pointers_.begin(), pointers_.end(), same);
  const auto number = static_cast<std::size_t>(at - pointers_.begin());
  if (at == pointers_.end()) pointers_.push_back(pointer);
  return number;
}

std::shared_ptr<route::compiled> compile(const route_settings& settings,
                                         const std::vector<std::string>& times,
                                         pointer_numbers& numbers,
                                         std::vector<route_error>& errors) {
  return compiler{settings, times, numbers, errors}.run();
}

}  // namespace tollgate::routes
