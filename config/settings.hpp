// The whole configuration as plain values with defaults. load.hpp fills it from YAML.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quota/credits.hpp"
#include "quota/plan.hpp"
#include "quota/rate_card.hpp"
#include "routes/settings.hpp"

namespace tollgate::config {

using std::chrono::milliseconds;

struct endpoint {
  std::string host;
  std::uint16_t port = 0;
  std::string unix_path{};  // instead of host and port; only `listen` can have one

  bool operator==(const endpoint&) const = default;
};

// The addresses that begin with the same bits. IPv4 addresses are mapped to IPv6.
struct network {
  std::array<std::uint8_t, 16> address{};
  int bits = 128;

  bool operator==(const network&) const = default;
};

// The listener for calls.
struct listen_settings : endpoint {
  unsigned mode = 0666;  // of the file of a unix socket
  // Peers from here begin each connection with a PROXY protocol header.
  std::vector<network> proxies{};
  bool unix_proxies = false;  // so do all peers on a unix socket

  bool expects_proxies() const { return unix_proxies || !proxies.empty(); }
  bool operator==(const listen_settings&) const = default;
};

struct tls_settings {
  std::string certificate, key;  // PEM files
};

struct admin_settings {
  endpoint listen{"127.0.0.1", 8081};
  std::string token;  // empty: the admin API refuses every call
};

// A listener for monitoring only: metrics and health, without a token.
struct metrics_settings {
  std::optional<endpoint> listen;
};

// What the process gives up at its start.
struct hardening_settings {
  bool system_call_filter = true;
  bool core_dumps = false;  // they contain keys and bodies of calls

  bool operator==(const hardening_settings&) const = default;
};

// What happens to an answer that is still being sent when its API key is revoked or its
// organization is suspended. A WebSocket is always closed.
enum class when_revoked : std::uint8_t { cut, finish };

struct identity_settings {
  std::string agent_header = "X-Agent-Id";
  std::string conversation_header = "X-Conversation-Id";
  // Where a key may come besides Authorization and x-api-key. Never forwarded.
  std::vector<std::string> key_headers;
  std::string key_query;  // a query member; empty: none
  when_revoked on_revoked = when_revoked::cut;

  bool operator==(const identity_settings&) const = default;
};

// Which pages in a browser may read the answers
// (https://fetch.spec.whatwg.org/#http-cors-protocol).
struct cors_settings {
  std::vector<std::string> origins;   // "https://app.example.com", "https://*.example.com", or "*"
  std::chrono::seconds max_age{600};  // how long a browser keeps the answer to a preflight

  bool on() const { return !origins.empty(); }
  bool operator==(const cors_settings&) const = default;
};

// Identification for an upstream: the fields that say who pays, and the secret that signs them. A
// field with an empty name is not sent.
struct identify_settings {
  bool on = false;
  std::string org = "X-Tollgate-Org", key_id = "X-Tollgate-Key-Id", agent = "X-Tollgate-Agent",
              conversation = "X-Tollgate-Conversation";
  std::string timestamp = "X-Tollgate-Timestamp", signature = "X-Tollgate-Signature";
  std::string secret;  // empty: not signed

  std::array<const std::string*, 6> names() const {
    return {&org, &key_id, &agent, &conversation, &timestamp, &signature};
  }
};

struct upstream_settings {
  std::string name;
  bool tls = false;
  std::string host;  // a name, or an address; in URLs also [::1]
  std::uint16_t port = 80;
  std::string unix_path;  // of a unix socket, to connect to instead of host and port
  std::string
      base_path;  // "/api" for url: https://host/api; prepended to every path; no trailing slash
  // Set on every request; they replace the client's. An empty value removes the client's.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string ca_file;                     // tls: trust these instead of the system's
  bool verify = true;                      // tls
  bool forward_key = false;                // forward the caller's own Authorization / x-api-key
  bool forwarded = true;                   // send X-Forwarded-* and Forwarded: the caller's address
  bool via = true;                         // send Via
  std::optional<milliseconds> keep_alive;  // an unused connection; empty: timeouts.keep_alive
  identify_settings identify;
};

struct plan_settings {
  std::string name;
  quota::plan_terms terms;  // terms.plan is `name`
  bool custom = false;      // every organization has its own terms
};

// The kind of payment endpoint. Without one, top-ups stay requested until the admin API confirms
// them.
enum class payment_kind : std::uint8_t { none, webhook, stripe };

// Stripe's events: a payment succeeded later, was refunded, is disputed.
struct stripe_event_settings {
  std::vector<std::string>
      secrets;  // of the webhook endpoint; any of them may sign. Empty: no events are accepted
  std::optional<endpoint> listen;  // a separate listener; empty: the data plane's
  bool take_back_refunds = true;   // take back the credits of refunded payments,
  bool take_back_disputes = true;  // and of disputed ones
};

struct payment_settings {
  payment_kind kind = payment_kind::none;
  std::string url;               // webhook: the target of the signed POST; stripe: the API's base
  std::string secret;            // webhook: signs it; stripe: the API's secret key
  std::string ca_file;           // tls: trust these instead of the system's
  milliseconds timeout{10'000};  // one attempt, from connecting to the whole answer
  stripe_event_settings events;
};

// The path of Stripe's events, on either listener.
inline constexpr std::string_view stripe_events_path = "/payments/stripe";

// The archive of ledger entries, statements and usage.
enum class archive_kind : std::uint8_t { none, postgresql, files };

struct archive_settings {
  archive_kind kind = archive_kind::none;
  std::string url;        // postgresql: "postgresql://...", as libpq reads it
  std::string directory;  // files
  std::uint64_t rotate_bytes = 256 * 1024 * 1024;  // files: a file ends at the first of these two
  milliseconds rotate_every{86'400'000};

  bool operator==(const archive_settings&) const = default;
};

// How long the store keeps old data.
struct retention_settings {
  std::optional<milliseconds> ledger;  // entries that are in the archive; empty: for ever
  milliseconds usage{std::chrono::hours{24 * 400}};  // by agent and conversation
  std::optional<milliseconds> usage_by_hour;         // older: by day; empty: for ever
  std::optional<milliseconds> usage_by_day;          // older: by month; empty: for ever
  milliseconds idle_totals{
      std::chrono::hours{24 * 30}};  // counters of limits in `total`; after that they are packed

  bool operator==(const retention_settings&) const = default;
};

// Delivery of account events to the endpoints of organizations.
struct webhook_settings {
  milliseconds timeout{5'000};  // one attempt, from connecting to the head of the answer
  // The delay before each attempt, counted from the previous one; the first counts from the event.
  std::vector<milliseconds> retries = {std::chrono::seconds{0}, std::chrono::seconds{5},
                                       std::chrono::minutes{5}, std::chrono::minutes{30},
                                       std::chrono::hours{2},   std::chrono::hours{5},
                                       std::chrono::hours{10},  std::chrono::hours{14},
                                       std::chrono::hours{20},  std::chrono::hours{24}};
  bool allow_http = false;     // allow http:// URLs
  bool allow_private = false;  // allow addresses that are not public: loopback, 10.0.0.0/8
  std::string ca_file;         // tls: trust these instead of the system's
};

struct timeout_settings {
  milliseconds client_head{60'000};   // first byte to end of the request head; also idle keep-alive
  milliseconds client_body{60'000};   // between two reads of the request body
  milliseconds client_write{60'000};  // a client that does not read
  milliseconds connect{5'000};        // to the upstream, TLS handshake included
  milliseconds response_head{3'600'000};  // request sent to response head
  milliseconds idle{300'000};             // between two reads of the response body
  milliseconds total{86'400'000};         // one exchange from start to end
  milliseconds keep_alive{75'000};        // an unused connection, on either side
  milliseconds drain{30'000};             // after SIGTERM

  bool operator==(const timeout_settings&) const = default;
};

struct limit_settings {
  std::size_t head_bytes = 64 * 1024;
  std::size_t json_bytes = 32 * 1024 * 1024;    // a body that is read to classify it
  std::uint64_t buffered_bytes = 0;             // in memory, per process; 0: derived at start
  std::uint64_t body_bytes = 0;                 // any body; 0: no limit
  std::size_t connections = 16'384;             // per process
  std::size_t idle_upstream_connections = 256;  // per thread and upstream

  bool operator==(const limit_settings&) const = default;
};

// Files for uploads that can be measured only when they are complete.
struct spool_settings {
  std::string directory = "/var/tmp";
  std::uint64_t upload_bytes = std::uint64_t{256} * 1024 * 1024;      // per upload; 0: disabled
  std::uint64_t total_bytes = std::uint64_t{4} * 1024 * 1024 * 1024;  // in total, per process

  bool operator==(const spool_settings&) const = default;
};

struct hold_settings {
  milliseconds timeout{60'000};
  milliseconds sweep_every{5'000};

  bool operator==(const hold_settings&) const = default;
};

// Critical calls of an organization that has no `critical_overdraft_credits` of its own.
struct critical_settings {
  quota::critical_terms terms{quota::credits::from_whole(1'000), 600, 1'000};
};

// The journal of charges that are not settled yet.
struct journal_settings {
  std::string directory;  // empty: no journal
  std::uint64_t max_bytes = 256 * 1024 * 1024;
  milliseconds sync_every{1'000};

  static constexpr std::uint64_t least_for_a_thread = 256 * 1024;  // of max_bytes

  bool operator==(const journal_settings&) const = default;
};

struct store_settings {
  std::string url = "embedded:var/tollgate";
  milliseconds wait{0};                 // how long a request waits for an unavailable store
  milliseconds timeout{2'000};          // how long a command may take
  milliseconds report_timeout{30'000};  // the same for a long answer that is arriving

  bool operator==(const store_settings&) const = default;
};

// The API by which customers read their own account.
struct billing_settings {
  std::string prefix = "/v1/billing";
  // Of each organization, per process.
  std::int64_t requests_per_minute = 1'200, burst = 600;  // 0: unlimited
  int at_once = 8;                                        // event streams do not count

  bool operator==(const billing_settings&) const = default;
};

struct log_settings {
  std::string level = "info";  // debug | info | warn | error
  std::string access = "-";    // a file, "-" for standard output, "off"

  bool operator==(const log_settings&) const = default;
};

struct settings {
  listen_settings listen{{"127.0.0.1", 8080}};
  std::optional<tls_settings> tls;
  admin_settings admin;
  metrics_settings metrics;
  hardening_settings hardening;
  store_settings store;
  journal_settings journal;
  identity_settings identity;
  cors_settings cors;
  std::vector<upstream_settings> upstreams;
  std::vector<quota::rate> rates;
  std::vector<routes::route_settings> routes;
  std::vector<plan_settings> plans;
  payment_settings payments;
  archive_settings archive;
  retention_settings retention;
  webhook_settings webhooks;
  timeout_settings timeouts;
  limit_settings limits;
  spool_settings spool;
  hold_settings holds;
  critical_settings critical;
  log_settings log;
  int threads = 0;       // 0: one per core
  bool metering = true;  // off: for benchmarks only; nothing is reserved or charged
  billing_settings billing;
};

}  // namespace tollgate::config
