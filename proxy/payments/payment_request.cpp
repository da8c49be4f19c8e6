#include "proxy/payments/payment_request.hpp"

#include <algorithm>
#include <charconv>

#include "proxy/net/outbound/signature.hpp"
#include "proxy/text/json_writer.hpp"
#include "proxy/text/text.hpp"
#include "quota/hex.hpp"
#include "routes/text.hpp"

namespace tollgate::proxy::payments {

namespace {

// The version in which answers are parsed: another one may name a status differently.
constexpr std::string_view stripe_version = "2024-06-20";

// A hundred payments of a few KiB each, and up to 25 KiB of metadata.
constexpr std::size_t max_page_bytes = 4 * 1024 * 1024;

// The event's id, the same in every attempt. The specification requires ids without full stops,
// which an organization's id may have, so it is derived.
std::string event_id(const payment_order& order) {
  return "evt_" + quota::to_hex(outbound::sha256(idempotency_key(order))).substr(0, 32);
}

std::string event(const payment_order& order) {
  const auto& top_up = order.top_up;
  admin::json_writer json;
  json.begin_object();
  json.key("id").string(event_id(order));
  json.key("type").string("account.top_up_requested");
  const auto created_at = first_requested(top_up).value_or(top_up.requested_at);
  json.key("created_at").string(admin::to_rfc3339(created_at));
  json.key("org").string(order.org);
  json.key("data").begin_object();
  json.key("top_up").string(top_up.id);
  json.key("amount_usd").string(dollars(top_up.cents));
  json.key("credits").string(quota::to_string(top_up.amount));
  return json.end_object().end_object().take();
}

std::string encoded(std::string_view plain) {
  std::string out;
  for (const char c : plain) {
    if (routes::is_unreserved(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      constexpr char digits[] = "0123456789ABCDEF";
      out.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
  }
  return out;
}

// application/x-www-form-urlencoded, which is also the format of a query.
class form {
 public:
  form& add(std::string_view name, std::string_view value) {
    if (!text_.empty()) text_ += '&';
    text_.append(encoded(name)).append("=").append(encoded(value));
    return *this;
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

outbound::request to_stripe(const outbound::url& to, std::string_view path,
                            std::string_view secret) {
  std::string_view base = to.path;
  if (base.ends_with('/')) base.remove_suffix(1);
  outbound::request request;
  request.target.append(base).append(path);
  request.fields = {{"Authorization", "Bearer " + std::string{secret}},
                    {"Stripe-Version", std::string{stripe_version}}};
  return request;
}

// Quotes a string for Stripe's search language.
std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out += '"';
}

}  // namespace

std::optional<quota::time_point> first_requested(const quota::top_up_record& top_up) {
  std::string_view id = top_up.id;
  constexpr std::string_view prefix = "tu_";
  if (!top_up.automatic || !id.starts_with(prefix)) return {};
  id.remove_prefix(prefix.size());
  std::int64_t ms = 0;
  const auto [end, ec] = std::from_chars(id.data(), id.data() + id.size(), ms);
  if (ec != std::errc{} || end == id.data() + id.size() || *end != '_') return {};
  return std::min(top_up.requested_at, quota::time_point{quota::milliseconds{ms}});
}

bool never_asked_for(const quota::top_up_record& top_up) {
  return top_up.attempts <= 1 && top_up.generation == 0 &&
         first_requested(top_up) == top_up.requested_at;
}

std::string idempotency_key(const payment_order& order) {
  const auto generation = order.top_up.generation;
  const auto later = generation > 0 ? "/" + std::to_string(generation) : std::string{};
  return order.org + later + ":" + order.top_up.id;
}

std::string dollars(std::int64_t cents) {
  const auto rest = std::to_string(cents % 100);
  return std::to_string(cents / 100) + (rest.size() == 1 ? ".0" : ".") + rest;
}

outbound::request webhook_request(const payment_order& order, const outbound::url& to,
                                  std::string_view secret, quota::time_point now) {
  const auto id = event_id(order);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  outbound::request request;
  request.target = to.path;
  request.body = event(order);
  request.fields = {{"Content-Type", "application/json"},
                    {"Idempotency-Key", idempotency_key(order)}};
  const std::vector<std::string> secrets{std::string{secret}};
  for (auto& field : outbound::signature_fields(secrets, id, seconds, request.body)) {
    request.fields.push_back(std::move(field));
  }
  return request;
}

outbound::request stripe_customer(const payment_order& order, const outbound::url& to,
                                  std::string_view secret) {
  return stripe_object("customers/" + encoded(order.stripe_customer), to, secret);
}

outbound::request stripe_payment(const payment_order& order, const outbound::url& to,
                                 std::string_view secret, std::string_view payment_method) {
  auto request = to_stripe(to, "/v1/payment_intents", secret);
  request.fields.emplace_back("Content-Type", "application/x-www-form-urlencoded");
  request.fields.emplace_back("Idempotency-Key", idempotency_key(order));
  form body;
  body.add("amount", std::to_string(order.top_up.cents)).add("currency", "usd");
  body.add("customer", order.stripe_customer);
  if (!payment_method.empty()) body.add("payment_method", payment_method);
  body.add("off_session", "true").add("confirm", "true");
  body.add("metadata[tollgate_org]", order.org);
  body.add("metadata[tollgate_top_up]", order.top_up.id);
  // The first generation sends none, as in earlier releases: the same key must send the same bytes.
  const auto generation = order.top_up.generation;
  if (generation > 0) body.add("metadata[tollgate_key]", std::to_string(generation));
  request.body = body.take();
  return request;
}

outbound::request stripe_payments(const payment_order& order, const outbound::url& to,
                                  std::string_view secret, const payments_page& page) {
  form query;
  if (!page.of_everyone) query.add("customer", order.stripe_customer);
  query.add("limit", "100");
  if (page.from != quota::time_point{}) {
    const auto from = std::chrono::floor<std::chrono::seconds>(page.from).time_since_epoch();
    query.add("created[gte]", std::to_string(from.count()));
  }
  if (!page.after.empty()) query.add("starting_after", page.after);
  auto request = stripe_object("payment_intents?" + query.take(), to, secret);
  request.max_answer_bytes = max_page_bytes;
  return request;
}

outbound::request stripe_search(const payment_order& order, const outbound::url& to,
                                std::string_view secret) {
  const auto question = "metadata[\"tollgate_org\"]:" + in_quotes(order.org) +
                        " AND metadata[\"tollgate_top_up\"]:" + in_quotes(order.top_up.id);
  const auto query = form{}.add("query", question).add("limit", "100").take();
  auto request = stripe_object("payment_intents/search?" + query, to, secret);
  request.max_answer_bytes = max_page_bytes;
  return request;
}

outbound::request stripe_cancel(std::string_view payment, const outbound::url& to,
                                std::string_view secret) {
  auto request = to_stripe(to, "/v1/payment_intents/" + encoded(payment) + "/cancel", secret);
  request.fields.emplace_back("Content-Type", "application/x-www-form-urlencoded");
  return request;
}

outbound::request stripe_object(std::string_view path, const outbound::url& to,
                                std::string_view secret) {
  auto request = to_stripe(to, "/v1/" + std::string{path}, secret);
  request.method = "GET";
  return request;
}

}  // namespace tollgate::proxy::payments
