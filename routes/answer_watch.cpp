#include "routes/answer_watch.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "routes/json_members.hpp"
#include "routes/readers/content_decoder.hpp"
#include "routes/readers/events.hpp"
#include "routes/text.hpp"

namespace tollgate::routes {

namespace {

using quota::stream_end;
using carried = answer_watch::carried;

std::string_view without_white_space(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

bool is_event_stream(std::string_view content_type) {
  return equal_ignoring_case(without_white_space(content_type.substr(0, content_type.find(';'))),
                             "text/event-stream");
}

// The answer to GET or POST is in its content. PUT, PATCH and DELETE may succeed without any, and
// HEAD never has any.
bool asks_for_content(std::string_view method) {
  return method == "GET" || method == "POST";
}

// RFC 9110, 15.4: with these the client must repeat the request elsewhere. With 303 the work has
// been done, with 304 the client already has the result.
bool is_redirect(int status) {
  return status >= 300 && status < 400 && status != 303 && status != 304;
}

bool is_one_of(std::string_view text, const auto& list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// The last events of OpenAI's and Anthropic's streams, and the events that precede content.
constexpr std::array<std::string_view, 7> last_events{
    "message_stop", "response.completed", "response.incomplete", "response.done",
    "done",         "speech.audio.done",  "transcript.text.done"};
constexpr std::array<std::string_view, 5> preludes{"ping", "message_start", "response.created",
                                                   "response.queued", "response.in_progress"};
constexpr std::array<std::string_view, 2> error_types{"error", "response.failed"};

// At most this much of an event is parsed: errors are shorter.
constexpr std::size_t most_data = 64 * 1024;
// Once there is content, only an event's type matters, and it comes first.
constexpr std::size_t type_at_most = 64;

// `text` must have static storage duration.
const json_pointer& pointer(const char* text) {
  thread_local std::map<std::string_view, json_pointer> known;
  const auto found = known.find(text);
  if (found != known.end()) return found->second;
  return known.emplace(text, std::get<json_pointer>(json_pointer::parse(text))).first->second;
}

// Absent or null.
bool lacks(const json_body& body, const char* where) {
  const auto found = body.read(pointer(where));
  return found.is == reading::state::absent || (found.is == reading::state::present && found.null);
}

// Some streams have an empty error member in every event.
bool tells_of_error(const json_body& body) {
  const auto found = body.read(pointer("/error"));
  const bool none = found.scalar && (found.text.empty() || found.text == "false");
  return found.is == reading::state::present && !found.null && !none;
}

bool lacks_text(const json_body& body, const char* where) {
  if (lacks(body, where)) return true;
  const auto found = body.read(pointer(where));
  return found.is == reading::state::present && found.scalar && found.text.empty();
}

// A chunk that only opens a chat completion: no choice, or a role without text.
bool opens_chat(const json_body& body) {
  const auto choices = body.read(pointer("/choices"));
  if (choices.is != reading::state::present || choices.scalar || choices.null) return false;
  if (!lacks(body, "/usage")) return false;
  if (choices.elements == 0) return true;
  if (choices.elements > 1 || lacks(body, "/choices/0/delta")) return false;
  for (const auto* member : {"/choices/0/finish_reason", "/choices/0/delta/tool_calls",
                             "/choices/0/delta/function_call", "/choices/0/delta/audio"}) {
    if (!lacks(body, member)) return false;
  }
  for (const auto* member : {"/choices/0/delta/content", "/choices/0/delta/refusal",
                             "/choices/0/delta/reasoning_content"}) {
    if (!lacks_text(body, member)) return false;
  }
  return true;
}

// The type in data that starts with {"type":"…", found without parsing the rest.
std::string_view type_in_front(std::string_view data) {
  constexpr std::string_view name = "\"type\"";
  const auto skip = [&](char c) {
    data = without_white_space(data);
    if (!data.starts_with(c)) return false;
    data.remove_prefix(1);
    return true;
  };
  if (!skip('{')) return {};
  data = without_white_space(data);
  if (!data.starts_with(name)) return {};
  data.remove_prefix(name.size());
  if (!skip(':') || !skip('"')) return {};
  const auto end = data.find('"');
  return end == std::string_view::npos ? std::string_view{} : data.substr(0, end);
}

carried carried_by(const json_body& body) {
  if (!body.error().empty()) return carried::content;
  if (tells_of_error(body)) return carried::error;
  const auto type = body.read(pointer("/type"));
  if (type.is == reading::state::present && type.scalar) {
    if (is_one_of(type.text, error_types)) return carried::error;
    if (is_one_of(type.text, preludes) || type.text == "message_stop") return carried::nothing;
  }
  return opens_chat(body) ? carried::nothing : carried::content;
}

}  // namespace

stream_end end_by_head(const answer_head& head) {
  if (head.status >= 400) return stream_end::refused;
  if (is_redirect(head.status)) return stream_end::redirected;
  const bool wants = asks_for_content(head.method) ||
                     (head.method != "HEAD" && is_event_stream(head.content_type));
  return head.status == 200 && wants && !head.has_body ? stream_end::empty : stream_end::accepted;
}

class answer_watch::event_watch final : public readers::events {
 public:
  carried found = carried::nothing;
  bool complete = false;

 private:
  std::size_t data_wanted() const override {
    return found == carried::content ? type_at_most : most_data;
  }

  void on_event(const event& one) override {
    const auto data = without_white_space(one.data);
    const bool says_done = data == "[DONE]";
    complete = complete || says_done || is_one_of(one.name, last_events) ||
               is_one_of(type_in_front(data), last_events);
    if (found == carried::content || says_done || data.empty()) return;
    const auto brought = read(one, data);
    if (brought != carried::nothing) found = brought;
  }

  static carried read(const event& one, std::string_view data) {
    if (is_one_of(one.name, error_types)) return carried::error;
    if (is_one_of(one.name, preludes) || one.name == "message_stop") return carried::nothing;
    if (!one.whole || !data.starts_with('{')) return carried::content;
    return carried_by(json_body{std::string{data}});
  }
};

struct answer_watch::event_chain {
  explicit event_chain(std::string_view encoding)
      : decoder{readers::make_content_decoder(without_white_space(encoding), {}, watch)} {}

  event_watch watch;
  const std::unique_ptr<readers::reader> decoder;
};

answer_watch::answer_watch(const answer_head& head)
    : wants_content_{head.status == 200 &&
                     (asks_for_content(head.method) ||
                      (head.method != "HEAD" && is_event_stream(head.content_type)))} {
  if (head.status == 200 && is_event_stream(head.content_type)) {
    events_ = std::make_unique<event_chain>(head.content_encoding);
  }
}

answer_watch::~answer_watch() = default;

void answer_watch::write(std::string_view piece) {
  any_byte_ = any_byte_ || !piece.empty();
  if (events_) events_->decoder->write(piece);
}

// Content that cannot be decoded counts as content.
answer_watch::carried answer_watch::so_far() const {
  if (!any_byte_) return carried::nothing;
  if (!events_) return carried::content;
  using readers::fault;
  const auto problem = events_->decoder->problem();
  const bool unreadable = problem != fault::none && problem != fault::truncated;
  return unreadable ? carried::content : events_->watch.found;
}

bool answer_watch::is_complete() const {
  return events_ && events_->watch.complete;
}

stream_end answer_watch::judge(stream_end how) {
  const bool left = how == stream_end::client_gone;
  if (how != stream_end::accepted && how != stream_end::upstream_failed && !left) return how;
  if (events_) events_->decoder->finish();
  if (!wants_content_) return how;
  switch (so_far()) {
    case carried::error:
      return stream_end::stream_error;
    case carried::nothing:  // the client has left: whether content would have come is unknown
      return left ? how : stream_end::empty;
    case carried::content:
      break;
  }
  return is_complete() ? stream_end::accepted : how;
}

}  // namespace tollgate::routes
