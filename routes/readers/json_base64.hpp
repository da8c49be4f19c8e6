// Audio in base64 as a member of a JSON body.
#pragma once

#include "routes/readers/base64.hpp"
#include "routes/readers/json_scanner.hpp"

namespace tollgate::routes::readers {

// {"audio": {"data": "UklGRg…"}} with the pointer /audio/data.
class json_base64 final : public reader, private json_scanner::listener {
 public:
  json_base64(json_pointer where, sink& target)
      : reader{target}, scanner_{{std::move(where)}, *this} {}

 private:
  void read(std::string_view piece) override;
  void read_end() override;
  void on_text(std::size_t pointer, std::string_view piece) override;
  void on_text_end(std::size_t pointer) override;
  void on_other(std::size_t) override { fail(fault::malformed); }

  json_scanner scanner_;
  base64_decoder base64_;
  bool found_ = false;
};

}  // namespace tollgate::routes::readers
