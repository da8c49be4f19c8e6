// One reader for each top-level key of the file. README.md describes the keys.
#pragma once

#include "config/reader.hpp"
#include "config/settings.hpp"

namespace tollgate::config {

std::optional<tls_settings> read_tls(context& in, const node& from);
std::optional<admin_settings> read_admin(context& in, const node& from);
std::optional<metrics_settings> read_metrics(context& in, const node& from);
std::optional<hardening_settings> read_hardening(context& in, const node& from);
std::optional<journal_settings> read_journal(context& in, const node& from);
std::optional<store_settings> read_store(context& in, const node& from);
std::optional<identity_settings> read_identity(context& in, const node& from);
std::optional<cors_settings> read_cors(context& in, const node& from);
std::optional<timeout_settings> read_timeouts(context& in, const node& from);
std::optional<limit_settings> read_limits(context& in, const node& from);
std::optional<spool_settings> read_audio_of_all(context& in, const node& from);
std::optional<hold_settings> read_holds(context& in, const node& from);
std::optional<log_settings> read_log(context& in, const node& from);
// The name of a header; "" means none.
std::optional<std::string> read_header_name(context& in, const node& from);
std::optional<billing_settings> read_billing(context& in, const node& from);
std::optional<critical_settings> read_critical(context& in, const node& from);

struct request_rate {
  std::int64_t per_minute = 0, burst = 0;
};
std::optional<request_rate> read_request_rate(context& in, const node& from);

std::optional<std::vector<upstream_settings>> read_upstreams(context& in, const node& from);
std::optional<std::vector<quota::rate>> read_rates(context& in, const node& from);
std::optional<std::vector<plan_settings>> read_plans(context& in, const node& from);
std::optional<payment_settings> read_payments(context& in, const node& from);
std::optional<archive_settings> read_archive(context& in, const node& from);
std::optional<retention_settings> read_retention(context& in, const node& from);
std::optional<webhook_settings> read_webhooks(context& in, const node& from);

// The names in the file, whether or not their values could be read.
struct declared_names {
  std::vector<std::string> upstreams, rates;
};
std::optional<routes::audio_settings> read_audio(context& in, const node& from);
// The routes that have no error of their own.
std::optional<std::vector<routes::route_settings>> read_routes(context& in, const node& from,
                                                               const declared_names& declared);

}  // namespace tollgate::config
