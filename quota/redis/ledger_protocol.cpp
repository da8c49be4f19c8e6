#include "quota/redis/ledger_protocol.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "quota/plan_text.hpp"
#include "quota/redis/connection.hpp"
#include "quota/store_error.hpp"

namespace tollgate::quota::redis {

namespace {

// account, holds, ledger, usage, grants, counters, cycles, top_ups, late, events
constexpr std::size_t fixed_keys = 10;
constexpr std::size_t max_field = 256;
constexpr std::size_t max_note = 1024;

// Tabs separate the members of an attribution, so no member may contain one. Members should arrive
// without control characters and within the length limit; this enforces both.
void append_clean(std::string& out, std::string_view text, std::size_t limit = max_field) {
  const auto begun = out.size();
  out.append(text.substr(0, limit));
  for (std::size_t i = begun; i < out.size(); ++i) {  // no dependency between bytes: many at once
    const auto c = static_cast<unsigned char>(out[i]);
    const bool control = (c < 0x20) | (c == 0x7F);
    out[i] = control ? '?' : out[i];
  }
}

std::string clean(std::string_view text, std::size_t limit = max_field) {
  std::string out;
  append_clean(out, text, limit);
  return out;
}

std::string_view digits(char (&buffer)[24], std::int64_t number) {
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  return {buffer, static_cast<std::size_t>(end - buffer)};
}

// "USED", or of audio "USED/BILLED_US".
std::string used_text(std::int64_t used, std::int64_t billed_us) {
  auto text = std::to_string(used);
  return billed_us == 0 ? text : text.append("/").append(std::to_string(billed_us));
}

std::optional<outcome> outcome_of(std::int64_t number) {
  if (number < 0 || number > 255) return std::nullopt;
  const auto known = static_cast<outcome>(number);
  if (to_string(known) == "unknown") return std::nullopt;
  return known;
}

}  // namespace

std::string key_of(std::string_view org, std::string_view part) {
  std::string key = "tollgate:{";
  key.append(org).append("}:").append(part);
  return key;
}

std::string rules_text(std::int64_t pack_after_hours, const critical_terms& critical) {
  const auto overdraft = critical.overdraft ? critical.overdraft->micro() : -1;
  std::string text;
  for (const auto number :
       {pack_after_hours, overdraft, critical.requests_per_minute, critical.burst}) {
    text.append(text.empty() ? "" : " ").append(std::to_string(number));
  }
  return text;
}

void ledger_batch::add(const operation& operation) {
  note_shape(operation);
  std::visit([this](const auto& what) { encode(what); }, operation);
  ++operations_;
}

void ledger_batch::note_shape(const operation& operation) {
  const bool settles = std::holds_alternative<settle>(operation);
  const bool reserves = std::holds_alternative<reserve>(operation);
  may_leave_work_ = may_leave_work_ || !std::holds_alternative<expire_holds>(operation);
  if (operations_ == 0) {
    usual_ = settles || reserves;
    settles_ = settles;
  } else {
    usual_ = usual_ && operations_ == 1 && settles_ && reserves;
  }
}

bool ledger_batch::is_usual(std::int64_t hour) const {
  return usual_ && operations_ > 0 && hours_.size() == 1 && hours_.front() == hour;
}

void ledger_batch::name_hour(std::int64_t hour) {
  if (std::find(hours_.begin(), hours_.end(), hour) == hours_.end()) hours_.push_back(hour);
}

void ledger_batch::clear() {
  ids_.clear();
  arguments_.clear();
  hours_.clear();
  id_count_ = argument_count_ = operations_ = 0;
  usual_ = true;
  settles_ = may_leave_work_ = false;
}

void ledger_batch::encode(const reserve& what) {
  const char code[2] = {'r', static_cast<char>('0' + static_cast<int>(what.admit))};
  argument(std::string_view{code, 2});
  about(what.id);
  argument(what.amount.micro());
  argument(what.timeout.count());
  std::string by;
  const auto& who = what.who;
  by.reserve(what.request_id.size() + who.route.size() + who.action.size() + who.model.size() +
             who.agent.size() + who.conversation.size() + who.key_id.size() + 6);
  append_clean(by, what.request_id);
  for (const auto* member :
       {&who.route, &who.action, &who.model, &who.agent, &who.conversation, &who.key_id}) {
    by += '\t';
    append_clean(by, *member);
  }
  argument(by);
}

void ledger_batch::encode(const extend& what) {
  const char code[2] = {'e', static_cast<char>('0' + static_cast<int>(what.admit))};
  argument(std::string_view{code, 2});
  about(what.id);
  argument(what.amount.micro());
  argument(what.timeout.count());
  argument(what.needed.value_or(what.amount).micro());
  if (!what.answered) return argument("");
  auto text = std::to_string(what.answered->amount.micro());
  text.append(":").append(used_text(what.answered->used, what.answered->billed_us));
  argument(text);
}

void ledger_batch::encode(const release& what) {
  argument("d");
  about(what.id);
  argument(what.amount.micro());
}

void ledger_batch::encode(const settle& what) {
  argument("s");
  about(what.id);
  argument(what.amount.micro());
  if (what.billed_us == 0) return argument(what.used);
  argument(used_text(what.used, what.billed_us));
}

void ledger_batch::encode(const void_hold& what) {
  argument("v");
  about(what.id);
}

void ledger_batch::encode(const expire_holds& what) {
  argument("x");
  argument(what.at_most.count());
}

void ledger_batch::encode(const grant& what) {
  argument("g");
  argument(clean(what.id));
  argument(what.amount.micro());
  argument(clean(what.kind));
  argument(clean(what.note, max_note));
  argument(what.expires_at.time_since_epoch().count());
  argument(what.priority ? std::to_string(*what.priority) : "");
}

void ledger_batch::encode(const configure& what) {
  auto terms = what.terms;
  terms.plan = clean(terms.plan);
  auto limits = what.options.limits;
  for (auto& limit : limits) limit.id = clean(limit.id);
  argument("c");
  argument(what.at_once ? "1" : "0");
  argument(what.anchor_day);
  argument(to_text(terms));
  argument(to_text(what.options));
  argument(limits_text(limits));
  argument(alerts_text(what.options.alerts));
}

void ledger_batch::encode(const request_top_up& what) {
  argument("t");
  argument(clean(what.id));
  argument(what.cents);
}

void ledger_batch::encode(const lease_top_up& what) {
  argument("l");
  argument(clean(what.id));
  argument(what.lease.count());
}

void ledger_batch::encode(const resolve_top_up& what) {
  argument("p");
  argument(clean(what.id));
  argument(static_cast<std::int64_t>(what.verdict));
  argument(what.generation);
}

void ledger_batch::encode(const take_back_top_up& what) {
  argument("b");
  argument(clean(what.id));
  argument(static_cast<std::int64_t>(what.reason));
  argument(what.cents);
}

void ledger_batch::about(const hold_id& id) {
  append_argument(ids_, id.text());
  ++id_count_;
  const auto hour = id.hour();
  name_hour(hour);
  const auto index = std::find(hours_.begin(), hours_.end(), hour) - hours_.begin();
  argument(static_cast<std::int64_t>(fixed_keys) + 1 + index);
}

void ledger_batch::argument(std::string_view text) {
  append_argument(arguments_, text);
  ++argument_count_;
}

void ledger_batch::argument(std::int64_t number) {
  char buffer[24];
  argument(digits(buffer, number));
}

void ledger_batch::append_call(std::string& out, std::string_view function, std::string_view org,
                               std::int64_t usage_hour, std::string_view rules) const {
  const std::size_t keys = fixed_keys + hours_.size();
  append_array_header(out, 3 + keys + 3 + hours_.size() + id_count_ + argument_count_);
  append_argument(out, "FCALL");
  append_argument(out, function);
  char buffer[24];
  append_argument(out, digits(buffer, static_cast<std::int64_t>(keys)));

  std::string key = key_of(org, "");
  const auto prefix = key.size();
  const auto append_key = [&](std::string_view part, std::string_view hour) {
    key.resize(prefix);
    key.append(part).append(hour);
    append_argument(out, key);
  };
  append_key("account", "");
  append_key("holds", "");
  append_key("ledger", "");
  append_key("usage:", digits(buffer, usage_hour));
  for (const auto* part : {"grants", "counters", "cycles", "top_ups", "late", "events"})
    append_key(part, "");
  for (const auto hour : hours_) append_key("resolved:", digits(buffer, hour));

  append_argument(out, digits(buffer, usage_hour));
  append_argument(out, digits(buffer, static_cast<std::int64_t>(id_count_)));
  append_argument(out, rules);
  for (const auto hour : hours_) append_argument(out, digits(buffer, hour));
  out += ids_;
  out += arguments_;
}

usual_arguments::usual_arguments(std::int64_t hour) : hour_{std::to_string(hour)} {}

void usual_arguments::add(std::string_view org, const ledger_batch& batch) {
  auto key = key_of(org, "");
  const auto prefix = key.size();
  const auto append_key = [&](std::string_view part, std::string_view hour) {
    key.resize(prefix);
    key.append(part).append(hour);
    append_argument(keys_, key);
    ++key_count_;
  };
  for (const auto* part : {"account", "holds", "ledger"}) append_key(part, "");
  append_key("usage:", hour_);
  append_key("resolved:", hour_);
  const auto count = batch.id_count_ + batch.argument_count_;
  append_argument(arguments_, std::to_string(count));
  arguments_ += batch.ids_;
  arguments_ += batch.arguments_;
  argument_count_ += 1 + count;
}

std::string usual_arguments::call(std::string_view function) const {
  std::string out;
  append_array_header(out, 3 + key_count_ + argument_count_);
  append_argument(out, "FCALL");
  append_argument(out, function);
  append_argument(out, std::to_string(key_count_));
  out += keys_;
  append_argument(out, hour_);
  out += arguments_;
  return out;
}

ledger_answer::ledger_answer(std::string_view text) : rest_{text} {
  constexpr std::string_view prefix = "again ";
  again_ = rest_.starts_with(prefix);
  if (again_) rest_.remove_prefix(prefix.size());
  std::int64_t ms = 0;
  has_events_ = take_mark(" E");
  top_up_due_ = take_mark(" T");
  valid_ = read(ms) && ms > 0;
  store_time_ = time_point{milliseconds{ms}};
}

bool ledger_answer::take_mark(std::string_view mark) {
  const bool there = rest_.ends_with(mark);
  if (there) rest_.remove_suffix(mark.size());
  return there;
}

std::vector<std::int64_t> ledger_answer::missing_hours() {
  std::vector<std::int64_t> hours;
  std::int64_t hour = 0;
  while (again_ && read(hour)) hours.push_back(hour);
  return hours;
}

result<answer> ledger_answer::next() {
  std::int64_t how = 0, amount = 0, available = 0;
  const bool complete = valid_ && !again_ && read(how) && read(amount) && read(available);
  const auto known = complete ? outcome_of(how) : std::nullopt;
  if (!known) {
    valid_ = false;
    return make_error_code(store_errc::protocol);
  }
  answer reply{*known, credits::from_micro(amount), credits::from_micro(available), {}, {}, {}};
  if (read_rate(reply) && read_obstacle(reply) && read_charged(reply)) return reply;
  valid_ = false;
  return make_error_code(store_errc::protocol);
}

// "R60,100,99,1700000000000": per minute, burst, remaining, when it is full again. Absent if there
// is no rate limit.
bool ledger_answer::read_rate(answer& reply) {
  if (!rest_.starts_with('R')) return true;
  std::array<std::int64_t, 4> numbers{};
  if (!read_list(numbers)) return false;
  reply.rate =
      rate_status{numbers[0], numbers[1], numbers[2], time_point{milliseconds{numbers[3]}}};
  return true;
}

// "W2500000,1700000000000,0,1,9000000,0,500000": the room that is left, when it changes, scope,
// window and size of a limit, whether a top-up is open, the amount held by other calls.
bool ledger_answer::read_obstacle(answer& reply) {
  if (!rest_.starts_with('W')) return true;
  std::array<std::int64_t, 7> numbers{};
  if (!read_list(numbers)) return false;
  if (numbers[2] < 0 || numbers[2] > 2 || numbers[3] < 0 || numbers[3] > 3) return false;
  reply.why = obstacle{credits::from_micro(numbers[0]),      time_point{milliseconds{numbers[1]}},
                       static_cast<limit_scope>(numbers[2]), static_cast<limit_window>(numbers[3]),
                       credits::from_micro(numbers[4]),      numbers[5] != 0,
                       credits::from_micro(numbers[6])};
  return true;
}

// "U45000000,60000000": for a hold that was settled when it expired, the amount used, and for audio
// the amount billed.
bool ledger_answer::read_charged(answer& reply) {
  if (!rest_.starts_with('U')) return true;
  std::array<std::int64_t, 2> numbers{};
  if (!read_list(numbers)) return false;
  reply.charged = use{reply.amount, numbers[0], numbers[1]};
  return true;
}

bool ledger_answer::read_list(std::span<std::int64_t> numbers) {
  rest_.remove_prefix(1);
  const auto end = rest_.find(' ');
  auto list = rest_.substr(0, end);
  rest_.remove_prefix(end == rest_.npos ? rest_.size() : end + 1);
  for (auto& number : numbers) {
    const auto stop = list.data() + list.size();
    const auto [after, failed] = std::from_chars(list.data(), stop, number);
    const bool last = &number == &numbers.back();
    if (failed != std::errc{} || (last ? after != stop : after == stop || *after != ','))
      return false;
    list.remove_prefix(static_cast<std::size_t>(after - list.data()) + (last ? 0 : 1));
  }
  return true;
}

bool ledger_answer::read(std::int64_t& number) {
  const auto end = rest_.data() + rest_.size();
  const auto [stop, failed] = std::from_chars(rest_.data(), end, number);
  if (failed != std::errc{} || (stop != end && *stop != ' ')) return false;
  rest_.remove_prefix(static_cast<std::size_t>(stop - rest_.data()) + (stop != end ? 1 : 0));
  return true;
}

}  // namespace tollgate::quota::redis
