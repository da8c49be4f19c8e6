// Payments: the endpoint that collects the money for credits.
#include <algorithm>

#include "config/address.hpp"
#include "config/sections.hpp"

namespace tollgate::config {
namespace {

using namespace std::chrono_literals;

constexpr const char* stripe_api = "https://api.stripe.com";

// The key must fit into a header.
std::optional<std::string> read_secret_key(context& in, const node& from) {
  auto key = read_text(in, from);
  if (!key) return {};
  const auto visible = [](char c) { return c > ' ' && c < '\x7f'; };
  if (std::all_of(key->begin(), key->end(), visible)) return key;
  in.fail(from, "a secret key must be visible ASCII without blanks");
  return {};
}

void read_ca_file(context& in, const node& from, map_reader& map, const payment_url& url,
                  payment_settings& out) {
  const bool given = map.optional("ca_file", out.ca_file, read_text);
  if (given && !url.text.empty() && !url.tls) in.fail(from, "ca_file is for https:// only");
}

std::optional<payment_settings> read_webhook(context& in, const node& from) {
  payment_settings out;
  out.kind = payment_kind::webhook;
  payment_url url;
  map_reader map{in, from};
  map.required("url", url, [](context& within, const node& value) {
    return read_payment_url(within, value, true);
  });
  map.required("secret", out.secret, read_text);
  read_ca_file(in, from, map, url, out);
  map.finish();
  out.url = url.text;
  return out;
}

// The new and the old one, while Stripe rolls them.
std::optional<std::vector<std::string>> read_webhook_secrets(context& in, const node& from) {
  auto secrets = read_texts(in, from);
  if (!secrets || secrets->size() <= 2) return secrets;
  in.fail(from, "at most two secrets: the new one and the old one");
  return {};
}

void read_stripe_events(context& in, const node& from, map_reader& map,
                        stripe_event_settings& out) {
  const choice<bool> take_back{{{"take_back", true}, {"keep", false}}};
  const bool told = map.optional("webhook_secret", out.secrets, read_webhook_secrets);
  const bool listens = map.optional("listen", out.listen, read_endpoint);
  const bool refunds = map.optional("refunds", out.take_back_refunds, take_back);
  const bool disputes = map.optional("disputes", out.take_back_disputes, take_back);
  if (!told && map.find("webhook_secret") == nullptr && (listens || refunds || disputes)) {
    in.fail(from, "listen, refunds and disputes need webhook_secret");
  }
}

std::optional<payment_settings> read_stripe(context& in, const node& from) {
  payment_settings out;
  out.kind = payment_kind::stripe;
  payment_url url{stripe_api, true};
  map_reader map{in, from};
  map.required("secret_key", out.secret, read_secret_key);
  map.optional("url", url, [](context& within, const node& value) {
    return read_payment_url(within, value, false);
  });
  read_ca_file(in, from, map, url, out);
  read_stripe_events(in, from, map, out.events);
  map.finish();
  out.url = url.text;
  return out;
}

}  // namespace

std::optional<payment_settings> read_payments(context& in, const node& from) {
  payment_settings out;
  milliseconds timeout = out.timeout;
  map_reader map{in, from};
  const bool webhook = map.find("webhook") != nullptr, stripe = map.find("stripe") != nullptr;
  map.optional("webhook", out, read_webhook);
  map.optional("stripe", out, read_stripe);
  map.optional("timeout", timeout, duration_between(100ms, 5min));
  map.finish();
  if (webhook && stripe) in.fail(from, "set webhook or stripe, not both");
  if (from.what == node::type::map && !webhook && !stripe) {
    in.fail(from, "set webhook or stripe");
  }
  out.timeout = timeout;
  return out;
}

}  // namespace tollgate::config
