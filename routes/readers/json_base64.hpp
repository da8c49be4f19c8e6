// Base64 audio in a member of a JSON body.
#pragma once

#include "routes/readers/base64.hpp"
#include "routes/readers/json_scanner.hpp"

namespace tollgate::routes::readers {

// The digits that a text may have. Some decoders accept those of the URL alphabet, others refuse or
// skip them, so a caller who pays by the second could send a text with two readings.
enum class base64_digits : std::uint8_t { standard, both };

// {"audio": {"data": "UklGRg…"}} with the pointer /audio/data.
class json_base64 final : public reader, private json_scanner::listener {
 public:
  json_base64(json_pointer where, sink& target, base64_digits digits = base64_digits::both)
      : reader{target}, digits_{digits}, scanner_{{std::move(where)}, *this} {}

 private:
  void read(std::string_view piece) override;
  void read_end() override;
  void on_text(std::size_t pointer, std::string_view piece) override;
  void on_text_end(std::size_t pointer) override;
  void on_other(std::size_t) override { fail(fault::malformed); }

  base64_digits digits_;
  json_scanner scanner_;
  base64_decoder base64_;
  bool found_ = false;
};

}  // namespace tollgate::routes::readers
