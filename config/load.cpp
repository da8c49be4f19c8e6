#include "config/load.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "config/address.hpp"
#include "config/document.hpp"
#include "config/reader.hpp"
#include "config/sections.hpp"

namespace tollgate::config {
namespace {

std::vector<std::string> names_in(const node* section) {
  std::vector<std::string> names;
  if (section == nullptr) return names;
  for (const node::member& member : section->members) names.push_back(member.key);
  return names;
}

void read_settings(context& in, const node& root, settings& out) {
  map_reader map{in, root};
  map.optional("listen", out.listen, read_endpoint);
  map.optional("tls", out.tls, read_tls);
  map.optional("admin", out.admin, read_admin);
  map.optional("store", out.store, read_store);
  map.optional("journal", out.journal, read_journal);
  map.optional("identity", out.identity, read_identity);
  map.required("upstreams", out.upstreams, read_upstreams);
  map.required("rates", out.rates, read_rates);
  const declared_names declared{names_in(map.find("upstreams")), names_in(map.find("rates"))};
  map.required("routes", out.routes, [&](context& within, const node& from) {
    return read_routes(within, from, declared);
  });
  map.optional("plans", out.plans, read_plans);
  map.optional("payments", out.payments, read_payments);
  map.optional("archive", out.archive, read_archive);
  map.optional("retention", out.retention, read_retention);
  map.optional("webhooks", out.webhooks, read_webhooks);
  map.optional("timeouts", out.timeouts, read_timeouts);
  map.optional("limits", out.limits, read_limits);
  map.optional("audio", out.spool, read_audio_of_all);
  map.optional("holds", out.holds, read_holds);
  map.optional("log", out.log, read_log);
  map.optional("threads", out.threads, whole_between(0, 1024));
  map.optional("metering", out.metering, choice<bool>{{{"on", true}, {"off", false}}});
  map.optional("billing", out.billing, read_billing);
  map.optional("critical", out.critical, read_critical);
  map.finish();
}

// Checks that need several sections.
void check_listeners(context& in, const node& root, const settings& values) {
  const endpoint& a = values.listen;
  const endpoint& b = values.admin.listen;
  if (a.port != 0 && a.port == b.port && a.host == b.host) {
    in.fail(root, "listen and admin.listen are the same address");
  }
}

const node* value_of(const node& map, std::string_view key) {
  for (const auto& member : map.members) {
    if (member.key == key) return member.value.get();
  }
  return nullptr;
}

// If `threads` is 0, their number is known only at the start, which checks this.
void check_journal(context& in, const node& root, const settings& values) {
  const auto least =
      static_cast<std::uint64_t>(values.threads) * journal_settings::least_for_a_thread;
  if (values.journal.directory.empty() || values.journal.max_bytes >= least) return;
  const auto* const journal = value_of(root, "journal");
  const auto* const max = value_of(*journal, "max");
  in.fail(max != nullptr ? *max : *journal,
          "the journal needs at least 256KiB per thread: " + std::to_string(least / 1024) +
              "KiB for threads: " + std::to_string(values.threads));
}

// Stripe's events take precedence over routes.
void check_stripe_events(context& in, const node& root, const settings& values) {
  const auto& events = values.payments.events;
  if (events.listen) {
    const auto& own = *events.listen;
    for (const endpoint* other : {&values.listen, &values.admin.listen}) {
      if (own.port != 0 && own.port == other->port && own.host == other->host) {
        in.fail(root, "payments.stripe.listen is the address of another listener");
      }
    }
  }
  if (events.secrets.empty() || events.listen) return;
  for (const auto& route : values.routes) {
    if (route.match.path != stripe_events_path) continue;
    in.found.add(route.at, "route " + route.name + " can never match: " + route.match.path +
                               " takes Stripe's events (payments.stripe.webhook_secret)");
  }
}

// Only a database can be read back, and a ledger that cannot be read whole proves nothing.
void check_retention(context& in, const node& root, const settings& values) {
  if (!values.retention.ledger || values.archive.kind == archive_kind::postgresql) return;
  const auto* section = map_reader{in, root}.find("retention");
  in.fail(section != nullptr ? *section : root,
          "retention.ledger needs archive.postgresql: without it the whole ledger is kept");
}

void check_billing_prefix(context& in, const settings& values) {
  for (const auto& route : values.routes) {
    const std::string& path = route.match.path;
    const std::string& prefix = values.billing.prefix;
    if (path == prefix || path.starts_with(prefix + "/")) {
      in.found.add(route.at, "route " + route.name + " can never match: " + prefix +
                                 " is the billing API (billing: prefix)");
    }
  }
}

// Omits routes whose rate could not be read: that was already reported.
std::vector<routes::route_settings> priced(const settings& values) {
  std::vector<routes::route_settings> out;
  for (const auto& route : values.routes) {
    const auto named = [&](const quota::rate& rate) { return rate.name == route.rate; };
    if (std::any_of(values.rates.begin(), values.rates.end(), named)) out.push_back(route);
  }
  return out;
}

std::optional<routes::route_table> build_table(problems& found, const settings& values) {
  auto table = routes::route_table::build(priced(values), values.rates);
  if (auto* errors = std::get_if<std::vector<routes::route_error>>(&table)) {
    for (const auto& error : *errors) found.add(error.at, error.message);
    return {};
  }
  return std::get<routes::route_table>(std::move(table));
}

std::vector<config_error> to_errors(const problems& found, const std::string& file) {
  std::vector<config_error> out;
  for (const auto& [at, message] : found.sorted()) {
    out.push_back({file, at.line, at.column, message});
  }
  return out;
}

}  // namespace

std::string to_string(const config_error& error) {
  std::string out = error.file;
  if (error.line != 0) {
    out.append(":").append(std::to_string(error.line));
    out.append(":").append(std::to_string(error.column));
  }
  return out.append(": ").append(error.message);
}

std::string warning_text(const config_error& warning) {
  auto said = warning;
  said.message.insert(0, "warning: ");
  return to_string(said);
}

std::variant<configuration, std::vector<config_error>> load_text(const std::string& text,
                                                                 const std::string& file_name,
                                                                 const environment& env) {
  problems found;
  const node_ptr root = read_document(text, found);
  if (!root) return to_errors(found, file_name);
  context in{found, env, {}};
  settings values;
  read_settings(in, *root, values);
  check_listeners(in, *root, values);
  check_journal(in, *root, values);
  check_billing_prefix(in, values);
  check_stripe_events(in, *root, values);
  check_retention(in, *root, values);
  auto table = build_table(found, values);
  if (!found.empty() || !table) return to_errors(found, file_name);
  return configuration{std::move(values), *std::move(table), to_errors(in.warnings, file_name)};
}

std::map<std::string, bool> keys_of(const std::string& text, const environment& env) {
  known_keys keys;
  problems found;
  settings values;
  if (const node_ptr root = read_document(text, found)) {
    context in{found, env, {}};
    in.keys = &keys;
    read_settings(in, *root, values);
  }
  return keys;
}

std::variant<configuration, std::vector<config_error>> load_file(const std::string& path,
                                                                 const environment& env) {
  const auto fail = [&](const std::string& message) {
    return std::vector<config_error>{{path, 0, 0, message}};
  };
  std::ifstream file{path, std::ios::binary};
  if (!file) return fail(std::string{"cannot be opened: "} + std::strerror(errno));
  // Reads one byte more than the limit, to detect a file that is too large or endless.
  std::string text(largest_file + 4, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return fail(std::string{"cannot be read: "} + std::strerror(errno));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return load_text(text, path, env);
}

}  // namespace tollgate::config
