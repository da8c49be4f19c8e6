// Whatever bytes callers and databases send: a line of the access log is one line of valid JSON, a
// CSV has the cells that were written, a message of the log is one line of UTF-8.
#include <simdjson.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proxy/gateway/access_log.hpp"
#include "proxy/text/csv.hpp"
#include "routes/text.hpp"
#include "tests/fuzz/input.hpp"

using namespace tollgate;
using tollgate::fuzz::require;

namespace {

// RFC 4180, strictly.
std::vector<std::vector<std::string>> read_csv(std::string_view text) {
  std::vector<std::vector<std::string>> rows;
  while (!text.empty()) {
    auto& row = rows.emplace_back();
    for (bool more = true; more;) {
      auto& cell = row.emplace_back();
      if (text.starts_with('"')) {
        text.remove_prefix(1);
        for (;; text.remove_prefix(1)) {
          require(!text.empty(), "a quote is closed");
          if (text[0] == '"') {
            text.remove_prefix(1);
            if (!text.starts_with('"')) break;
          }
          cell += text[0];
        }
      } else {
        const auto end = text.find_first_of(",\r\n\"");
        require(end != text.npos && text[end] != '"', "a cell without quotes ends");
        cell = text.substr(0, end);
        text.remove_prefix(end);
      }
      more = text.starts_with(',');
      if (more) text.remove_prefix(1);
    }
    require(text.starts_with("\r\n"), "a row ends");
    text.remove_prefix(2);
  }
  return rows;
}

// The line that the access log writes for this record.
std::string line_of(const proxy::exchange_record& record) {
  static const int file = ::memfd_create("log", 0);
  static proxy::access_log log{"/proc/self/fd/" + std::to_string(file)};
  require(::ftruncate(file, 0) == 0, "the log is emptied");
  log.write(record, quota::time_point{});
  log.flush();
  std::string out(64 * 1024, '\0');
  const auto size = ::pread(file, out.data(), out.size(), 0);
  out.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return out;
}

}  // namespace

// Each line is a field of the record.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in{data, size};
  const std::string agent{in.line()}, path{in.line()}, model{in.line()}, rest{in.rest()};
  proxy::exchange_record record;
  record.who.agent = agent;
  record.path = path;
  record.who.model = model;
  record.request_id = record.who.conversation = rest;
  const std::string line = line_of(record);
  require(line.find('\n') == line.size() - 1, "a record is one line");
  require(routes::is_utf8(line), "a record is UTF-8");
  simdjson::dom::parser parser;
  const simdjson::padded_string padded{line};
  simdjson::dom::object object;
  require(parser.parse(padded).get_object().get(object) == simdjson::SUCCESS, "a record is JSON");
  const auto text_of = [&](const char* name, const std::string& wrote) {
    std::string_view found;
    const bool there = object[name].get_string().get(found) == simdjson::SUCCESS;
    require(there == !wrote.empty(), "a field is there if it has a value");
    require(!routes::is_utf8(wrote) || found == wrote, "a field is what was written");
  };
  text_of("agent", agent);
  text_of("path", path);
  text_of("conversation", rest);

  proxy::admin::csv_writer csv;
  csv.text(agent).text(path).end_row().text(model).text(rest).end_row();
  const auto rows = read_csv(csv.take());
  require(rows.size() == 2 && rows[0].size() == 2 && rows[1].size() == 2, "a CSV has its cells");
  const auto cell_of = [&](const std::string& cell, const std::string& wrote) {
    const auto expected = routes::repaired(wrote);
    require(routes::is_utf8(cell) && (cell == expected || cell == "'" + expected),
            "a cell is what was written");
  };
  cell_of(rows[0][0], agent), cell_of(rows[0][1], path), cell_of(rows[1][0], model),
      cell_of(rows[1][1], rest);

  const auto message = routes::one_line(rest);
  require(routes::is_utf8(message) && !routes::has_control(message), "a message is one line");
  return 0;
}
