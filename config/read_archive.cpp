// The archive, and how long the store keeps old data.
#include <algorithm>
#include <memory>

#include <libpq-fe.h>

#include "config/sections.hpp"

namespace tollgate::config {
namespace {

using namespace std::chrono_literals;

std::optional<std::string> read_database(context& in, const node& from) {
  auto url = read_text(in, from);
  if (!url) return {};
  if (!url->starts_with("postgresql://") && !url->starts_with("postgres://")) {
    in.fail(from, "not a database URL: postgresql://user:password@host:5432/database");
    return {};
  }
  // libpq's own message may quote the password.
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed{
      PQconninfoParse(url->c_str(), nullptr), &PQconninfoFree};
  if (parsed) return url;
  in.fail(from,
          "not a valid PostgreSQL URL; in a password, write characters such as %, @, : and / as "
          "%25, %40, %3A and %2F");
  return {};
}

}  // namespace

std::optional<archive_settings> read_archive(context& in, const node& from) {
  archive_settings out;
  map_reader map{in, from};
  const bool database = map.find("postgresql") != nullptr, files = map.find("files") != nullptr;
  map.optional("postgresql", out.url, read_database);
  map.optional("files", out.directory, read_text);
  const bool size = map.optional("rotate_size", out.rotate_bytes,
                                 size_between(std::uint64_t{4} << 10, std::uint64_t{64} << 30));
  const bool age = map.optional("rotate_every", out.rotate_every, duration_between(1s, 24h * 366));
  map.finish();
  if (database == files && from.what == node::type::map) {
    in.fail(from, database ? "set postgresql or files, not both" : "set postgresql or files");
  }
  if (database && (size || age)) in.fail(from, "rotate_size and rotate_every are for files only");
  out.kind = database ? archive_kind::postgresql : archive_kind::files;
  return out;
}

std::optional<retention_settings> read_retention(context& in, const node& from) {
  constexpr auto least = 24h * 32, most = 24h * 3660;
  retention_settings out;
  map_reader map{in, from};
  map.optional("ledger", out.ledger, duration_between(1s, most));
  map.optional("usage", out.usage, duration_between(least, most));
  map.optional("usage_by_hour", out.usage_by_hour, duration_between(least, most));
  // A projection reads eight weeks of daily usage.
  map.optional("usage_by_day", out.usage_by_day, duration_between(24h * 60, most));
  map.optional("idle_totals", out.idle_totals, duration_between(1h, most));
  map.finish();
  // Each further level of aggregation must come later than the previous one.
  const auto by_hour = out.usage_by_hour.value_or(out.usage);
  if (by_hour < out.usage) {
    in.fail(*map.find("usage_by_hour"), "usage_by_hour may not be shorter than usage");
  }
  if (out.usage_by_day && *out.usage_by_day < std::max(by_hour, out.usage)) {
    in.fail(*map.find("usage_by_day"),
            "usage_by_day may not be shorter than usage and usage_by_hour");
  }
  return out;
}

}  // namespace tollgate::config
