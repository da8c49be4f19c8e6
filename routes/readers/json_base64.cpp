#include "routes/readers/json_base64.hpp"

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
  if (!failed() && !base64_.write(piece, target())) fail(fault::malformed);
}

void json_base64::on_text_end(std::size_t) {
  found_ = true;
  if (!failed() && !base64_.finish(target())) fail(fault::malformed);
}

}  // namespace tollgate::routes::readers
