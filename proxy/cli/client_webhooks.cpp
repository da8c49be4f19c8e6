// tollgate webhook
// list|show|create|set|delete|rotate|finish-rotation|retry|test|dead-letters|resend|listen
#include <iostream>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "proxy/cli/client_command.hpp"
#include "proxy/cli/webhook_listener.hpp"
#include "proxy/text/json_writer.hpp"

namespace tollgate::proxy {

namespace {

using admin::json_value;
using answer = std::variant<json_value, command_error>;

struct webhook_arguments {
  std::string org, id, url, description, event;
  std::vector<std::string> events;
  bool disable = false, enable = false;
};
using arguments = std::shared_ptr<webhook_arguments>;

std::string path_of(const webhook_arguments& given, std::string_view rest = {}) {
  return org_path(given.org, "/webhooks/" + url_encode(given.id) + std::string{rest});
}

// Only the given options.
std::string body_of(const webhook_arguments& given) {
  admin::json_writer body;
  body.begin_object();
  if (!given.url.empty()) body.key("url").string(given.url);
  if (!given.description.empty()) body.key("description").string(given.description);
  if (!given.events.empty()) {
    body.key("events").begin_array();
    for (const auto& each : given.events) body.string(each);
    body.end_array();
  }
  if (given.disable || given.enable) body.key("disabled").boolean(given.disable);
  return body.end_object().take();
}

std::string words(const json_value* list) {
  std::string out;
  if (list == nullptr) return out;
  for (const auto& each : list->elements) out += (out.empty() ? "" : " ") + cell_text(&each);
  return out;
}

void print_webhook(std::ostream& out, const json_value& webhook) {
  print_fields(out,
               {{"endpoint", "id"},
                {"url", "url"},
                {"description", "description"},
                {"disabled", "disabled"},
                {"because", "disabled_reason"},
                {"events waiting", "pending"},
                {"attempts at the first", "attempts"},
                {"next attempt", "next_attempt_at"},
                {"last attempt", "last_attempt/at"},
                {"status", "last_attempt/status"},
                {"error", "last_attempt/error"},
                {"created", "created_at"}},
               webhook);
  out << "events: " << words(webhook.find("events")) << '\n';
}

void print_webhooks(std::ostream& out, const json_value& data) {
  print_table(out,
              {{"ENDPOINT", "id"},
               {"URL", "url"},
               {"DISABLED", "disabled"},
               {"WAITING", "pending"},
               {"NEXT", "next_attempt_at"},
               {"STATUS", "last_attempt/status"},
               {"ERROR", "last_attempt/error"}},
              member_at(data, "webhooks")->elements);
}

void print_secret(std::ostream& out, const json_value& made) {
  out << cell_text(made.find("secret")) << "\n"
      << "It is not shown again. It signs events to " << cell_text(made.find("id")) << ".\n";
}

void print_dead_letters(std::ostream& out, const json_value& data) {
  print_table(out,
              {{"EVENT", "id"},
               {"TYPE", "event/type"},
               {"CREATED", "event/created_at"},
               {"DIED", "died_at"},
               {"ATTEMPTS", "attempts"},
               {"STATUS", "status"},
               {"ERROR", "error"}},
              data.elements);
}

void print_attempt(std::ostream& out, const json_value& attempt) {
  print_fields(
      out,
      {{"event", "event"}, {"delivered", "delivered"}, {"status", "status"}, {"error", "error"}},
      attempt);
}

// All dead letters, page by page.
answer list_dead_letters(const admin_client& client, const webhook_arguments& given) {
  json_value all;
  all.type = json_value::kind::array;
  std::string after;
  for (;;) {
    const auto rest = "/dead_letters" + query_of({{"after", after}, {"limit", "1000"}});
    const auto page = client.call("GET", path_of(given, rest));
    const auto* data = std::get_if<json_value>(&page);
    if (data == nullptr) return page;
    for (const auto& each : member_at(*data, "dead_letters")->elements) {
      all.elements.push_back(each);
    }
    if (!member_at(*data, "has_more")->truth) return all;
    after = member_at(*data, "next_after")->text;
  }
}

void add_filters(CLI::App& command, webhook_arguments& given) {
  command
      .add_option("--event", given.events,
                  "an event type, account.* or *; repeatable. Default: all")
      ->type_name("TYPE")
      ->allow_extra_args(false);
  command.add_option("--description", given.description, "a note");
}

struct family {
  CLI::App& parent;
  int& exit_code;

  CLI::App& command(const char* name, const char* what, const arguments& given,
                    bool of_one = true) const {
    auto* const made = parent.add_subcommand(name, what);
    made->add_option("ORG", given->org, "the organization's id")->required();
    if (of_one) made->add_option("ENDPOINT", given->id, "the endpoint's id: we_...")->required();
    return *made;
  }

  // A command with a single call, without a body, for one endpoint.
  void call(const char* name, const char* what, const char* method, const char* rest,
            client_printer printer) const {
    const auto given = std::make_shared<webhook_arguments>();
    make_client_command(
        command(name, what, given), exit_code,
        [=](const auto& client) { return client.call(method, path_of(*given, rest)); },
        std::move(printer));
  }
};

void add_creation(const family& to) {
  const auto given = std::make_shared<webhook_arguments>();
  auto& create =
      to.command("create", "Register an endpoint and show its secret once", given, false);
  create.add_option("URL", given->url, "https://...")->required();
  add_filters(create, *given);
  make_client_command(
      create, to.exit_code,
      [given](const auto& client) {
        return client.call("POST", org_path(given->org, "/webhooks"), body_of(*given));
      },
      print_secret);
}

void add_change(const family& to) {
  const auto given = std::make_shared<webhook_arguments>();
  auto& set = to.command("set", "Change an endpoint", given);
  set.add_option("--url", given->url, "https://...");
  add_filters(set, *given);
  auto* const disable = set.add_flag("--disable", given->disable, "send nothing; events wait");
  set.add_flag("--enable", given->enable, "send again, waiting events first")->excludes(disable);
  make_client_command(
      set, to.exit_code,
      [given](const auto& client) { return client.call("PUT", path_of(*given), body_of(*given)); },
      print_webhook);
}

void add_dead_letters(const family& to) {
  const auto listed = std::make_shared<webhook_arguments>();
  make_client_command(
      to.command("dead-letters", "List dead letters", listed), to.exit_code,
      [listed](const auto& client) { return list_dead_letters(client, *listed); },
      print_dead_letters);
  const auto given = std::make_shared<webhook_arguments>();
  auto& resend = to.command("resend", "Try a dead letter again now", given);
  resend.add_option("EVENT", given->event, "the event's id: evt_...")->required();
  make_client_command(
      resend, to.exit_code,
      [given](const auto& client) {
        const auto rest = "/dead_letters/" + url_encode(given->event) + "/resend";
        return client.call("POST", path_of(*given, rest));
      },
      print_attempt);
}

// --- listen ---

struct listen_arguments : webhook_arguments {
  std::uint16_t port = 0;
  std::string secret;
};

// The options for the address of the admin API, for a command line to copy.
std::string whereabouts_of(const client_options& options) {
  std::string out;
  if (!options.config.empty()) out += " --config " + options.config;
  if (!options.url.empty()) out += " --admin " + options.url;
  return out;
}

// Called once there is something to listen to.
void say_listening(const webhook_listener& listener) {
  std::cerr << "listening at " << listener.url() << " until Ctrl-C\n";
}

// Registers the listener while it runs.
std::optional<command_error> listen_to(const admin_client& client, listen_arguments& given,
                                       webhook_listener& listener, bool json,
                                       const std::string& whereabouts) {
  given.url = listener.url();
  if (given.description.empty()) given.description = "tollgate webhook listen";
  const auto made = client.call("POST", org_path(given.org, "/webhooks"), body_of(given));
  if (const auto* error = std::get_if<command_error>(&made)) {
    const bool not_allowed = error->message.find("webhooks.allow_") != std::string::npos;
    return command_error{error->message +
                         (not_allowed ? "\nTo listen here, Tollgate's configuration needs "
                                        "webhooks: { allow_http: true, allow_private: true }"
                                      : "")};
  }
  given.id = cell_text(member_at(std::get<json_value>(made), "id"));
  say_listening(listener);
  listener.run({cell_text(member_at(std::get<json_value>(made), "secret")), json});
  const auto removed = client.call("DELETE", path_of(given));
  const auto* error = std::get_if<command_error>(&removed);
  if (error == nullptr) return {};
  return command_error{error->message + "\nThe endpoint is still registered. To delete it:\n  " +
                       "tollgate webhook delete " + given.org + " " + given.id + whereabouts};
}

std::optional<command_error> listen(const client_options& options, listen_arguments& given) {
  if (given.org.empty() == given.secret.empty()) {
    return command_error{"ORG or --secret is required", 2};
  }
  webhook_listener listener{given.port, std::cout};
  if (given.org.empty()) {
    say_listening(listener);
    listener.run({given.secret, options.json});
    return {};
  }
  const auto client = admin_client::open(options);
  if (const auto* error = std::get_if<command_error>(&client)) return *error;
  return listen_to(std::get<admin_client>(client), given, listener, options.json,
                   whereabouts_of(options));
}

void add_listener(const family& to) {
  const auto given = std::make_shared<listen_arguments>();
  auto& made =
      *to.parent.add_subcommand("listen", "Receive, verify and print events on this machine");
  made.add_option("ORG", given->org,
                  "the organization; an endpoint is registered until this command ends");
  made.add_option("--port", given->port, "0: any free port")->capture_default_str();
  made.add_option("--secret", given->secret,
                  "without ORG: the secret of an endpoint that sends here");
  add_filters(made, *given);
  const auto options = add_client_options(made);
  made.callback([=, &exit_code = to.exit_code] {
    std::optional<command_error> failed;
    try {
      failed = listen(*options, *given);
    } catch (const boost::system::system_error& error) {
      failed = command_error{"cannot listen: " + error.code().message()};
    }
    if (failed) std::cerr << "tollgate: " << failed->message << '\n';
    exit_code = failed ? failed->exit_code : 0;
  });
}

}  // namespace

void add_webhook_commands(CLI::App& app, int& exit_code) {
  auto* const webhooks =
      app.add_subcommand("webhook", "Webhook endpoints: create, list, ..., and a listener");
  webhooks->require_subcommand(1);
  const family all{*webhooks, exit_code};
  const auto given = std::make_shared<webhook_arguments>();
  make_client_command(
      all.command("list", "List the endpoints", given, false), exit_code,
      [given](const auto& client) { return client.call("GET", org_path(given->org, "/webhooks")); },
      print_webhooks);
  all.call("show", "Show one endpoint", "GET", "", print_webhook);
  add_creation(all);
  add_change(all);
  all.call("delete", "Delete an endpoint and its dead letters", "DELETE", "",
           [](std::ostream& out, const json_value& data) {
             out << cell_text(data.find("id")) << " is deleted\n";
           });
  all.call("rotate", "Create a new secret; the old one stays valid for a day", "POST", "/rotate",
           print_secret);
  all.call("finish-rotation", "End the old secrets now", "POST", "/finish_rotation", print_webhook);
  all.call("retry", "Retry waiting events now", "POST", "/retry", print_webhook);
  all.call("test", "Send a sample event, once", "POST", "/test", print_attempt);
  add_dead_letters(all);
  add_listener(all);
}

}  // namespace tollgate::proxy
