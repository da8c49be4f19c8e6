// tollgate events: prints events of an organization as they happen, one per line.
#include <chrono>
#include <iostream>
#include <thread>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "proxy/cli/client_command.hpp"
#include "proxy/text/json_writer.hpp"

namespace tollgate::proxy {

namespace {

using admin::json_value;

struct event_arguments {
  std::string org, after;
};

struct server_event {
  std::string id, type, data;
};

// The fields of a block; comments and unknown fields are ignored.
server_event read_block(std::string_view block) {
  server_event event;
  while (!block.empty()) {
    const auto line = block.substr(0, block.find('\n'));
    block.remove_prefix(std::min(block.size(), line.size() + 1));
    const auto take = [&](std::string_view name, std::string& into) {
      if (line.starts_with(name)) into = line.substr(name.size());
    };
    take("id: ", event.id);
    take("event: ", event.type);
    take("data: ", event.data);
  }
  return event;
}

// "2026-01-31T10:00:00.000Z account.usage_threshold threshold_percent=50 ..."
void print_line(std::ostream& out, const server_event& event, const json_value& content) {
  if (const auto* at = content.find("created_at")) out << cell_text(at) << ' ';
  out << event.type;
  const auto* data = content.find("data");
  for (const auto& [name, value] : (data != nullptr ? *data : content).members) {
    out << ' ' << name << '=' << cell_text(&value);
  }
  out << std::endl;  // flush: the output is read while the command runs
}

void print_json_line(std::ostream& out, const server_event& event) {
  admin::json_writer line;
  line.begin_object().key("id").string(event.id).key("event").string(event.type);
  line.key("data").raw(event.data).end_object();
  out << line.take() << std::endl;
}

struct output_failed {};

void print_event(const server_event& event, bool json) {
  const auto content = admin::read_json(event.data);
  if (json) {
    print_json_line(std::cout, event);
  } else if (content) {
    print_line(std::cout, event, *content);
  }
  if (!std::cout) throw output_failed{};
}

// Runs until it is interrupted: a stream that breaks is opened again at its position.
int follow(const client_options& options, const event_arguments& given) {
  const auto fail = [](const command_error& error) {
    std::cerr << "tollgate: " << error.message << '\n';
    return error.exit_code;
  };
  const auto opened = admin_client::open(options);
  if (const auto* error = std::get_if<command_error>(&opened)) return fail(*error);
  const auto& client = std::get<admin_client>(opened);
  std::string last = given.after;
  bool began = false;
  const auto take = [&](std::string_view block) {
    began = true;
    const auto event = read_block(block);
    if (event.data.empty()) return;
    last = event.id;
    print_event(event, options.json);
  };
  for (;;) {
    const auto error =
        client.follow(org_path(given.org, "/events") + query_of({{"last_event_id", last}}), take);
    if (error && !began) return fail(*error);
    if (error) std::cerr << "tollgate: " << error->message << "; trying again\n";
    std::this_thread::sleep_for(std::chrono::seconds{1});
  }
}

}  // namespace

void add_events_command(CLI::App& app, int& exit_code) {
  const auto given = std::make_shared<event_arguments>();
  auto* const command = app.add_subcommand("events", "Follow events");
  command->add_option("ORG", given->org, "the organization's id")->required();
  command->add_option("--after", given->after,
                      "continue after this `id` of a --json line; default: now");
  const auto options = add_client_options(*command);
  command->callback([given, options, &exit_code] {
    try {
      exit_code = follow(*options, *given);
    } catch (const output_failed&) {
      exit_code = 1;  // the end of the command says why
    }
  });
}

}  // namespace tollgate::proxy
