#include "proxy/cli/meter.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <variant>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "config/load.hpp"
#include "config/units.hpp"
#include "proxy/cli/rate_text.hpp"
#include "proxy/cli/table.hpp"
#include "proxy/text/json_writer.hpp"
#include "routes/meters/sniff.hpp"
#include "routes/suggest.hpp"

namespace tollgate::proxy {
namespace {

namespace meters = routes::meters;

constexpr auto usual_config = "config/tollgate.yaml";

// Errors in the arguments or the configuration, one message per line.
struct rate_error {
  std::vector<std::string> messages;
};

struct chosen_rate {
  quota::rate rate;
  std::string from;  // the rate's source, for messages
};

struct measured_file {
  std::string name, container, codec;
  meters::duration length;
  std::string error;  // empty: it was measured
};

rate_error wrong(std::string message) {
  return {{"tollgate meter: " + std::move(message)}};
}

std::variant<quota::rate, rate_error> choose_rate(const std::vector<quota::rate>& rates,
                                                  const std::string& name) {
  std::vector<std::string> per_minute;
  for (const auto& rate : rates) {
    if (rate.per == quota::unit::minute) per_minute.push_back(rate.name);
  }
  if (per_minute.empty()) return wrong("the configuration has no rate per minute");
  const bool has_tts = std::find(per_minute.begin(), per_minute.end(), "tts") != per_minute.end();
  const std::string usual = has_tts ? "tts" : per_minute.front();
  const auto found = std::find_if(rates.begin(), rates.end(), [&](const quota::rate& rate) {
    return rate.name == (name.empty() ? usual : name);
  });
  if (found == rates.end()) {
    return wrong("no such rate: \"" + name + "\"" + routes::did_you_mean(name, per_minute));
  }
  if (found->per != quota::unit::minute) {
    return wrong("rate \"" + name + "\" is per " + std::string{name_of(found->per)} +
                 "; audio is priced per minute");
  }
  return *found;
}

std::variant<chosen_rate, rate_error> find_rate(const meter_options& options) {
  if (!options.config && !std::filesystem::exists(usual_config)) {
    const quota::rate usual{"tts", quota::credits::from_whole(5), quota::unit::minute,
                            quota::meter_kind::response_audio};
    auto found = choose_rate({usual}, options.rate);
    if (auto* error = std::get_if<rate_error>(&found)) return std::move(*error);
    return chosen_rate{usual, "no configuration was given"};
  }
  const auto file = options.config.value_or(usual_config);
  const auto loaded = config::load_file(file, options.env);
  if (const auto* errors = std::get_if<std::vector<config::config_error>>(&loaded)) {
    rate_error all;
    for (const auto& error : *errors) all.messages.push_back(to_string(error));
    return all;
  }
  auto found = choose_rate(std::get<config::configuration>(loaded).values.rates, options.rate);
  if (auto* error = std::get_if<rate_error>(&found)) return std::move(*error);
  return chosen_rate{std::get<quota::rate>(found), file};
}

// "24000,1,16": samples per second, channels, bits per sample.
std::optional<meters::pcm_format> parse_pcm(std::string_view text) {
  std::array<std::uint64_t, 3> numbers{};
  for (auto& number : numbers) {
    const auto comma = &number == &numbers.back() ? text.size() : text.find(',');
    if (comma == text.npos) return {};
    const auto value = config::parse_whole(text.substr(0, comma));
    if (!value || *value == 0 || *value > 1'000'000) return {};
    number = *value;
    text.remove_prefix(std::min(text.size(), comma + 1));
  }
  const auto [rate, channels, bits] = numbers;
  if (channels > 255 || bits > 64 || bits % 8 != 0) return {};
  return meters::pcm_format{static_cast<std::uint32_t>(rate), static_cast<std::uint32_t>(channels),
                            static_cast<std::uint32_t>(bits / 8)};
}

// A pipe can be read only once, so its data is kept for a second reading.
std::unique_ptr<std::istream> kept(std::istream& from) {
  auto copy = std::make_unique<std::stringstream>();
  *copy << from.rdbuf();
  copy->clear();  // for empty input
  return copy;
}

// False if reading failed.
bool pour(std::istream& from, meters::meter& to) {
  std::array<char, 64 * 1024> piece;
  while (from.read(piece.data(), piece.size()), from.gcount() > 0) {
    to.write({piece.data(), static_cast<std::size_t>(from.gcount())});
  }
  return !from.bad();
}

measured_file measure(const std::string& name, std::istream& from,
                      const meters::audio_options& how) {
  const auto meter = meters::make_audio_meter(how);
  if (!pour(from, *meter)) return {name, {}, {}, {}, "cannot be read"};
  meter->finish();
  if (meter->wants_second_reading()) {
    meter->begin_second_reading();
    from.clear();
    if (!from.seekg(0) || !pour(from, *meter)) return {name, {}, {}, {}, "cannot be read twice"};
    meter->finish();
  }
  measured_file found{name, std::string{meter->container()}, std::string{meter->codec()}, {}, {}};
  switch (meter->status()) {
    case meters::state::measuring:
      found.length = meter->measured();
      break;
    case meters::state::undecided:
      found.error = "too short to recognize";
      break;
    case meters::state::unmeasurable:
      found.error = "not measurable audio";
      break;
  }
  if (!meter->fits_name(name)) found.error = "its name does not fit its format";
  return found;
}

measured_file open_and_measure(const std::string& name, std::istream& in,
                               const meters::audio_options& how) {
  if (name == "-") return measure(name, *kept(in), how);
  std::ifstream file{name, std::ios::binary};
  if (!file) return {name, {}, {}, {}, std::string{"cannot be opened: "} + std::strerror(errno)};
  return measure(name, file, how);
}

quota::credits price_of(const measured_file& file, const quota::rate& rate) {
  return price(rate, quota::usage{file.length.microseconds_up()});
}

// "2.352000": seconds with microseconds, the unit that is priced.
std::string seconds(const measured_file& file) {
  const auto us = file.length.microseconds_up();
  const auto fraction = std::to_string(us % 1'000'000);
  return std::to_string(us / 1'000'000) + "." + std::string(6 - fraction.size(), '0') + fraction;
}

void print_json_line(std::ostream& out, const measured_file& file, const quota::rate& rate) {
  admin::json_writer line;
  line.begin_object().key("file").string(file.name);
  line.key("container").string_or_null(file.container);
  line.key("codec").string_or_null(file.codec);
  if (file.error.empty()) {
    line.key("seconds").raw(seconds(file)).key("rate").string(rate.name);
    line.key("credits").number(price_of(file, rate));
  } else {
    line.key("error").string(file.error);
  }
  out << line.end_object().take() << '\n';
}

admin::json_value cell(admin::json_value::kind type, std::string text) {
  admin::json_value value;
  value.type = text.empty() ? admin::json_value::kind::null : type;
  value.text = std::move(text);
  return value;
}

void print_as_table(std::ostream& out, const std::vector<measured_file>& files,
                    const chosen_rate& chosen) {
  using kind = admin::json_value::kind;
  std::vector<admin::json_value> rows;
  for (const auto& file : files) {
    const bool known = file.error.empty();
    admin::json_value row;
    row.type = kind::object;
    row.members.emplace_back("file", cell(kind::string, file.name));
    row.members.emplace_back("container", cell(kind::string, file.container));
    row.members.emplace_back("codec", cell(kind::string, file.codec));
    row.members.emplace_back("seconds", cell(kind::number, known ? seconds(file) : ""));
    row.members.emplace_back(
        "credits", cell(kind::number, known ? to_string(price_of(file, chosen.rate)) : ""));
    rows.push_back(std::move(row));
  }
  print_table(out,
              {{"file", "file"},
               {"container", "container"},
               {"codec", "codec"},
               {"seconds", "seconds"},
               {"credits", "credits"}},
              rows);
  out << "\n" << in_words(chosen.rate) << "  (" << chosen.from << ")\n";
}

}  // namespace

int run_meter(const meter_options& options, std::istream& in, std::ostream& out,
              std::ostream& err) {
  const auto found = find_rate(options);
  if (const auto* error = std::get_if<rate_error>(&found)) {
    for (const auto& message : error->messages) err << message << '\n';
    return 2;
  }
  const auto& chosen = std::get<chosen_rate>(found);
  meters::audio_options how;
  if (!options.pcm.empty() && !(how.raw = parse_pcm(options.pcm))) {
    err << "tollgate meter: --pcm takes RATE,CHANNELS,BITS, like 24000,1,16\n";
    return 2;
  }
  std::vector<measured_file> files;
  for (const auto& name : options.files) {
    files.push_back(open_and_measure(name, in, how));
    if (options.json) print_json_line(out, files.back(), chosen.rate);
  }
  if (!options.json) print_as_table(out, files, chosen);
  int exit_code = 0;
  for (const auto& file : files) {
    if (file.error.empty()) continue;
    err << file.name << ": " << file.error << '\n';
    exit_code = 1;
  }
  return exit_code;
}

void add_meter_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("meter", "Measure audio and price it");
  auto options = std::make_shared<meter_options>();
  command
      ->add_option("--config", options->config,
                   std::string{"the configuration, for its rates; default: "} + usual_config +
                       ", or 5 credits a minute")
      ->type_name("FILE");
  command
      ->add_option("--rate", options->rate,
                   "a rate per minute; default: tts, or the first one per minute")
      ->type_name("NAME");
  command->add_option("--pcm", options->pcm, "the files are raw PCM, like 24000,1,16")
      ->type_name("RATE,CHANNELS,BITS");
  command->add_flag("--json", options->json, "print a JSON object for each file");
  command->add_option("files", options->files, "audio files; - is standard input")
      ->required()
      ->type_name("FILE");
  command->callback(
      [options, &exit_code] { exit_code = run_meter(*options, std::cin, std::cout, std::cerr); });
}

}  // namespace tollgate::proxy
