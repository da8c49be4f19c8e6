// The archive, and how long the store keeps what is old.
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
    in.fail(from, "a database is named by a URL: postgresql://user:password@host:5432/database");
    return {};
  }
  // libpq's own message may quote the password.
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed{
      PQconninfoParse(url->c_str(), nullptr), &PQconninfoFree};
  if (parsed) return url;
  in.fail(from,
          "this is no URL of a database that PostgreSQL can read; in a password, characters "
          "such as %, @, : and / are written as %25, %40, %3A and %2F");
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
    in.fail(from, database ? "postgresql or files: an archive is in one place"
                           : "an archive is in postgresql or in files: where to?");
  }
  if (database && (size || age)) in.fail(from, "rotate_size and rotate_every are for files only");
  out.kind = database ? archive_kind::postgresql : archive_kind::files;
  return out;
}

std::optional<retention_settings> read_retention(context& in, const node& from) {
  retention_settings out;
  milliseconds ledger{};
  map_reader map{in, from};
  const bool given = map.optional("ledger", ledger, duration_between(1s, 24h * 3660));
  map.optional("usage", out.usage, duration_between(24h * 32, 24h * 3660));
  map.finish();
  if (given) out.ledger = ledger;
  return out;
}

}  // namespace tollgate::config
