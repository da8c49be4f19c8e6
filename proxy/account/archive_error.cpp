#include "proxy/account/archive_error.hpp"

namespace tollgate::proxy::archive {

namespace {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"  // the base keeps its destructor protected

class archive_category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "tollgate.archive"; }

  std::string message(int code) const override {
    switch (static_cast<archive_errc>(code)) {
      case archive_errc::unavailable:
        return "the archive is unavailable, and this data is only there";
      case archive_errc::catching_up:
        return "the archive does not have this data yet";
      case archive_errc::behind:
        return "the archive lacks data that the store has dropped";
      case archive_errc::ahead:
        return "the archive has entries that the store lacks, so it is not read";
      case archive_errc::another_store:
        return "the archive belongs to another store, so it is not read";
    }
    return "unknown archive error";
  }
};

#pragma GCC diagnostic pop

const archive_category& category() {
  static const archive_category one;
  return one;
}

}  // namespace

error_code make_error_code(archive_errc code) {
  return {static_cast<int>(code), category()};
}

bool is_of_archive(const error_code& ec) {
  return ec.failed() && ec.category() == category();
}

}  // namespace tollgate::proxy::archive
