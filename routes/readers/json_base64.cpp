#include "routes/readers/json_base64.hpp"

#include <algorithm>

namespace tollgate::routes::readers {

void json_base64::read(std::string_view piece) {
  scanner_.write(piece);
  fail(scanner_.problem());
}

void json_base64::read_end() {
  scanner_.finish();
  fail(scanner_.problem());
  if (!found_) fail(fault::missing);
}

void json_base64::on_text(std::size_t, std::string_view piece) {
  const bool refuses = digits_ == base64_digits::standard;
  const auto odd = refuses ? std::min(piece.find('-'), piece.find('_')) : piece.npos;
  if (!failed() && !base64_.write(piece.substr(0, odd), target())) fail(fault::malformed);
  if (odd != piece.npos) fail(fault::ambiguous);
}

void json_base64::on_text_end(std::size_t) {
  found_ = true;
  if (!failed() && !base64_.finish(target())) fail(fault::malformed);
}

}  // namespace tollgate::routes::readers
