#include "proxy/account/quote.hpp"

#include "config/units.hpp"
#include "proxy/net/api/query_parameters.hpp"
#include "proxy/text/json_writer.hpp"
#include "proxy/text/text.hpp"
#include "quota/money.hpp"

namespace tollgate::proxy::admin {

namespace {

// Rounded half up to the unit: a cent or a micro-credit.
std::int64_t share(std::int64_t amount, std::int64_t percent) {
  return quota::mul_div_half_up(amount, percent, 100);
}

void write_credits(json_writer& out, const quote_request& asked, const quota::plan_terms& terms) {
  out.key("amount_usd");
  if (!asked.cents) {
    out.null().key("credits").null().key("enough").null();
    return;
  }
  out.usd(*asked.cents).key("credits");
  const bool sold = terms.usd_micro_per_credit > 0;
  const auto bought =
      sold ? quota::credits_bought(*asked.cents, terms.usd_micro_per_credit) : quota::credits{};
  if (sold && bought.in_range()) {
    out.number(bought);
  } else {
    out.null();
  }
  out.key("enough").boolean(sold && bought.in_range() && *asked.cents > 0 &&
                            *asked.cents >= terms.top_up_minimum_cents);
}

void write_percent(json_writer& out, const quote_request& asked, const quota::plan_terms& terms) {
  out.key("percent");
  if (!asked.percent) {
    out.null().key("percent_usd").null().key("percent_credits").null();
    return;
  }
  out.number(*asked.percent).key("percent_usd");
  if (asked.cents) {
    out.usd(share(*asked.cents, *asked.percent));
  } else {
    out.null();
  }
  out.key("percent_credits");
  out.number(quota::credits::from_micro(share(terms.allocation.micro(), *asked.percent)));
}

}  // namespace

checked<quote_request> read_quote(std::string_view query) {
  const auto parameters = query_parameters::parse(query, {"amount_usd", "percent"});
  if (!parameters) return parameters.error();
  quote_request asked;
  if (const auto amount = parameters->find("amount_usd")) {
    const auto cents = config::parse_decimal(*amount, 2);
    if (!cents || *cents < 0 || *cents > quota::max_cents) {
      return invalid("amount_usd must be dollars with at most two decimals, like 25 or 25.50",
                     "amount_usd");
    }
    asked.cents = *cents;
  }
  if (const auto percent = parameters->find("percent")) {
    const auto count = parse_count(*percent, static_cast<std::size_t>(quota::max_alert_percent));
    if (!count) return invalid("percent must be a whole number from 1 to 1000", "percent");
    asked.percent = static_cast<std::int64_t>(*count);
  }
  if (!asked.cents && !asked.percent) {
    return invalid("amount_usd or percent is required: ?amount_usd=25, ?percent=80, or both",
                   "amount_usd");
  }
  return asked;
}

std::string quote_json(const quote_request& asked, const quota::plan_terms& terms) {
  json_writer out;
  out.begin_object();
  write_credits(out, asked, terms);
  write_percent(out, asked, terms);
  out.key("minimum_usd").usd(terms.top_up_minimum_cents).key("usd_per_credit");
  // Prices are in millionths of a dollar, as credits are in millionths of a credit.
  out.number(quota::credits::from_micro(terms.usd_micro_per_credit)).end_object();
  return out.take();
}

}  // namespace tollgate::proxy::admin
