#include "proxy/cli/table.hpp"

#include <algorithm>
#include <ostream>

#include "proxy/text/json_writer.hpp"

namespace tollgate::proxy {

namespace {

using admin::json_value;

// Column widths count characters, not bytes.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xC0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t width, bool right) {
  const std::string blanks(width - std::min(width, width_of(text)), ' ');
  return right ? blanks + text : text + blanks;
}

void write(admin::json_writer& out, const json_value& value) {
  switch (value.type) {
    case json_value::kind::null:
      out.null();
      break;
    case json_value::kind::boolean:
      out.boolean(value.truth);
      break;
    case json_value::kind::number:
      out.raw(value.text);
      break;
    case json_value::kind::string:
      out.string(value.text);
      break;
    case json_value::kind::array:
      out.begin_array();
      for (const auto& element : value.elements) write(out, element);
      out.end_array();
      break;
    case json_value::kind::object:
      out.begin_object();
      for (const auto& [name, member] : value.members) write(out.key(name), member);
      out.end_object();
      break;
  }
}

void print_line(std::ostream& out, const std::vector<std::string>& cells,
                const std::vector<std::size_t>& widths, const std::vector<bool>& right) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    line += (i == 0 ? "" : "  ") + padded(cells[i], widths[i], right[i]);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out << line << '\n';
}

}  // namespace

const json_value* member_at(const json_value& object, std::string_view path) {
  const json_value* value = &object;
  while (value != nullptr && !path.empty()) {
    const auto name = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), name.size() + 1));
    value = value->find(name);
  }
  return value;
}

std::string cell_text(const json_value* value) {
  if (value == nullptr || value->is(json_value::kind::null)) return "-";
  if (value->is(json_value::kind::boolean)) return value->truth ? "yes" : "no";
  auto text = value->text;
  std::replace_if(
      text.begin(), text.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F; }, '?');
  return text;
}

void print_table(std::ostream& out, const std::vector<column>& columns,
                 const std::vector<json_value>& rows) {
  if (rows.empty()) {
    out << "none\n";
    return;
  }
  std::vector<std::string> heading;
  std::vector<std::size_t> widths;
  std::vector<bool> right;
  for (const auto& column : columns) {
    heading.push_back(column.heading);
    auto width = column.heading.size();
    bool numeric = false;
    for (const auto& row : rows) {
      const auto* value = member_at(row, column.member);
      width = std::max(width, width_of(cell_text(value)));
      numeric = numeric || (value != nullptr && value->is(json_value::kind::number));
    }
    widths.push_back(width);
    right.push_back(numeric);
  }
  print_line(out, heading, widths, right);
  for (const auto& row : rows) {
    std::vector<std::string> cells;
    for (const auto& column : columns) cells.push_back(cell_text(member_at(row, column.member)));
    print_line(out, cells, widths, right);
  }
}

void print_fields(std::ostream& out, const std::vector<column>& fields, const json_value& object) {
  std::size_t label = 0, value = 0;
  for (const auto& field : fields) {
    label = std::max(label, field.heading.size());
    const auto* found = member_at(object, field.member);
    if (found != nullptr && found->is(json_value::kind::number)) {
      value = std::max(value, found->text.size());
    }
  }
  for (const auto& field : fields) {
    const auto* found = member_at(object, field.member);
    const bool numeric = found != nullptr && found->is(json_value::kind::number);
    out << padded(field.heading, label, false) << "  "
        << padded(cell_text(found), numeric ? value : 0, true) << '\n';
  }
}

void print_json(std::ostream& out, const json_value& value) {
  admin::json_writer writer;
  write(writer, value);
  out << writer.take() << '\n';
}

}  // namespace tollgate::proxy
