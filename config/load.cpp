#include "config/load.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <tuple>

#include <sys/stat.h>

#include "config/address.hpp"
#include "config/document.hpp"
#include "config/read_listen.hpp"
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
  map.optional("listen", out.listen, read_listen);
  map.optional("tls", out.tls, read_tls);
  map.optional("admin", out.admin, read_admin);
  map.optional("metrics", out.metrics, read_metrics);
  map.optional("hardening", out.hardening, read_hardening);
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
  map.optional("cors", out.cors, read_cors);
  map.finish();
}

// Checks that need several sections.
void check_listeners(context& in, const node& root, const settings& values) {
  const auto same = [](const endpoint& a, const endpoint& b) { return a.port != 0 && a == b; };
  const endpoint &listen = values.listen, &admin = values.admin.listen;
  if (same(listen, admin)) in.fail(root, "listen and admin.listen are the same address");
  const auto refuse_shared = [&](std::string key, const std::optional<endpoint>& own) {
    if (own && (same(*own, listen) || same(*own, admin))) {
      in.fail(root, key.append(" is the address of another listener"));
    }
  };
  const auto &metrics = values.metrics.listen, &events = values.payments.events.listen;
  refuse_shared("metrics.listen", metrics);
  refuse_shared("payments.stripe.listen", events);
  if (metrics && events && same(*metrics, *events)) {
    in.fail(root, "metrics.listen and payments.stripe.listen are the same address");
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
void check_stripe_events(context& in, const settings& values) {
  const auto& events = values.payments.events;
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

// How many bytes at the end of `base` are also the beginning of `path`, in whole segments.
std::size_t repeated_segments(const std::string& base, const std::string& path) {
  for (std::size_t at = 0; at < base.size(); at = std::min(base.find('/', at + 1), base.size())) {
    const auto end = std::string_view{base}.substr(at);
    const bool whole =
        path.size() == end.size() || path[std::min(end.size(), path.size() - 1)] == '/';
    if (path.starts_with(end) && whole) return end.size();
  }
  return 0;
}

// Requests keep their whole path. A base URL that ends in what the routes begin with is the habit
// of clients, which append to it.
void warn_of_repeated_paths(context& in, const node& root, const settings& values) {
  const auto* const section = value_of(root, "upstreams");
  for (const auto& upstream : values.upstreams) {
    const auto* const named = section == nullptr ? nullptr : value_of(*section, upstream.name);
    const auto* const url = named == nullptr ? nullptr : value_of(*named, "url");
    for (const auto& route : values.routes) {
      const auto& path = route.match.path;
      if (url == nullptr || path.empty() || route.upstream != upstream.name) continue;
      const auto repeated = repeated_segments(upstream.base_path, path);
      if (repeated == 0) continue;
      const auto without = upstream.base_path.substr(0, upstream.base_path.size() - repeated);
      in.warnings.add(url->at, "upstreams." + upstream.name + ".url: route " + route.name +
                                   " would ask for " + upstream.base_path + path +
                                   "; a request keeps its path, so the URL should probably end " +
                                   (without.empty() ? "behind the host" : "in " + without));
      break;
    }
  }
}

// A route to Tollgate itself would forward in a circle.
void warn_of_circles(context& in, const node& root, const settings& values) {
  const auto* const section = value_of(root, "upstreams");
  for (const auto& upstream : values.upstreams) {
    const auto host = upstream.host == "localhost" ? "127.0.0.1" : upstream.host;
    const auto* const named = section == nullptr ? nullptr : value_of(*section, upstream.name);
    if (named == nullptr) continue;
    const endpoint& listen = values.listen;
    for (const auto* each : {&listen, &values.admin.listen}) {
      const bool same_port = each->port != 0 && each->port == upstream.port && each->host == host;
      const bool circle = each->unix_path.empty() ? upstream.unix_path.empty() && same_port
                                                  : each->unix_path == upstream.unix_path;
      if (!circle) continue;
      in.warnings.add(named->at, "upstreams." + upstream.name + ".url: this is the address of " +
                                     (each == &listen ? "listen" : "admin.listen"));
    }
  }
}

// Said at every start, reload and check: calls are free, and nothing else would show it.
void warn_of_free_calls(context& in, const node& root, const settings& values) {
  if (values.metering) return;
  in.warnings.add(value_of(root, "metering")->at,
                  "metering: off: every call is forwarded, without a key and without a charge");
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
  check_stripe_events(in, values);
  check_retention(in, *root, values);
  warn_of_repeated_paths(in, *root, values);
  warn_of_circles(in, *root, values);
  warn_of_free_calls(in, *root, values);
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

config_error error_at(const std::string& file, std::string_view key, const std::string& message) {
  config_error out{file, 0, 0, std::string{key}.append(": ").append(message)};
  struct ::stat kind {};
  if (::stat(file.c_str(), &kind) != 0 || !S_ISREG(kind.st_mode)) return out;  // a pipe: read once
  std::ostringstream text;
  text << std::ifstream{file, std::ios::binary}.rdbuf();
  problems found;
  const auto root = text.view().size() <= largest_file ? read_document(text.str(), found) : nullptr;
  if (!root) return out;
  const node* within = root.get();
  while (within != nullptr && !key.empty()) {
    const node* next = nullptr;
    for (const auto& [name, at, value] : within->members) {  // a name can have dots
      const bool leads =
          key.starts_with(name) && (key.size() == name.size() || key[name.size()] == '.');
      if (!leads) continue;
      next = value.get();
      out.line = value->at.line, out.column = value->at.column;
      key.remove_prefix(std::min(key.size(), name.size() + 1));
      break;
    }
    within = next;
  }
  return out;
}

}  // namespace tollgate::config
