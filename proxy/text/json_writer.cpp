#include "proxy/text/json_writer.hpp"

#include "proxy/text/text.hpp"
#include "routes/text.hpp"

namespace tollgate::proxy::admin {

void json_writer::separate() {
  if (comma_) out_ += ',';
  comma_ = true;
}

json_writer& json_writer::open(char bracket) {
  separate();
  out_ += bracket;
  comma_ = false;
  return *this;
}

json_writer& json_writer::close(char bracket) {
  out_ += bracket;
  comma_ = true;
  return *this;
}

json_writer& json_writer::key(std::string_view name) {
  string(name);
  out_ += ':';
  comma_ = false;
  return *this;
}

json_writer& json_writer::string(std::string_view text) {
  separate();
  routes::append_json_string(out_, text);
  return *this;
}

json_writer& json_writer::usd(std::int64_t cents) {
  return raw(usd_text(cents));
}

json_writer& json_writer::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

}  // namespace tollgate::proxy::admin
