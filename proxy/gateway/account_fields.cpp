#include "proxy/gateway/account_fields.hpp"

#include <algorithm>

#include "proxy/net/http/write.hpp"

namespace tollgate::proxy {

namespace {

using namespace std::string_view_literals;

std::uint64_t not_negative(std::int64_t number) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(number, 0));
}

std::uint64_t whole_credits(quota::credits amount) {
  return not_negative(amount.micro() / quota::credits::micro_per_credit);
}

void append_number_field(std::string& out, std::string_view name, std::int64_t number) {
  out.append(name).append(": ", 2);
  append_number(out, not_negative(number));
  out.append("\r\n", 2);
}

// The fields that the platform's customers already know: the reset is a point in time, and never
// too early.
void append_request_rate(std::string& out, const quota::rate_status& rate) {
  const auto full_at = std::chrono::ceil<std::chrono::seconds>(rate.full_at.time_since_epoch());
  append_number_field(out, "X-RateLimit-Limit", rate.per_minute);
  append_number_field(out, "X-RateLimit-Remaining", rate.remaining);
  append_number_field(out, "X-RateLimit-Reset", full_at.count());
}

// draft-ietf-httpapi-ratelimit-headers: `r` is the remaining quota, `t` the seconds until it is
// full.
void append_rate_limit(std::string& out, const account_facts& facts) {
  if (facts.remaining == nullptr && facts.rate == nullptr) return;
  out.append("RateLimit: "sv);
  if (facts.remaining != nullptr) {
    out.append("\"credits\";r="sv);
    append_number(out, whole_credits(*facts.remaining));
  }
  if (facts.rate != nullptr) {
    const auto full_in = std::chrono::ceil<std::chrono::seconds>(facts.rate->full_at - facts.now);
    out.append(facts.remaining != nullptr ? ", \"requests\";r="sv : "\"requests\";r="sv);
    append_number(out, not_negative(facts.rate->remaining));
    out.append(";t="sv);
    append_number(out, not_negative(full_in.count()));
  }
  out.append("\r\n", 2);
}

// Credits are per month. For requests, `burst` is the quota for the time in which that many become
// available again.
void append_rate_limit_policy(std::string& out, const account_facts& facts) {
  if (facts.allocation == nullptr && facts.rate == nullptr) return;
  out.append("RateLimit-Policy: "sv);
  if (facts.allocation != nullptr) {
    out.append("\"credits\";q="sv);
    append_number(out, whole_credits(*facts.allocation));
    out.append(";w=2592000"sv);
  }
  if (facts.rate != nullptr) {
    const auto per_minute = std::max<std::int64_t>(facts.rate->per_minute, 1);
    out.append(facts.allocation != nullptr ? ", \"requests\";q="sv : "\"requests\";q="sv);
    append_number(out, not_negative(facts.rate->burst));
    out.append(";w="sv);
    append_number(out, not_negative((facts.rate->burst * 60 + per_minute - 1) / per_minute));
  }
  out.append("\r\n", 2);
}

}  // namespace

void write_account_fields(std::string& out, const account_facts& facts) {
  if (facts.remaining != nullptr) {
    append_field(out, "X-Credits-Remaining", to_string(*facts.remaining));
  }
  if (facts.charged != nullptr) append_field(out, "X-Credits-Charged", to_string(*facts.charged));
  if (facts.rate != nullptr) append_request_rate(out, *facts.rate);
  append_rate_limit(out, facts);
  append_rate_limit_policy(out, facts);
}

}  // namespace tollgate::proxy
