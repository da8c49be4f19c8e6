#include "quota/store_error.hpp"

namespace tollgate::quota {

namespace {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"  // the base keeps its destructor protected

class store_category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "tollgate.store"; }

  std::string message(int code) const override {
    switch (static_cast<store_errc>(code)) {
      case store_errc::unavailable:
        return "the store cannot be reached";
      case store_errc::archived:
        return "the ledger store has dropped this, and only an archive has it";
      case store_errc::not_applied:
        return "the store did not take the operation";
      case store_errc::no_memory:
        return "there is no memory for this report now";
      case store_errc::protocol:
        return "the store answered something this version does not understand";
    }
    return "unknown store error";
  }
};

#pragma GCC diagnostic pop

}  // namespace

error_code make_error_code(store_errc code) {
  static const store_category category;
  return {static_cast<int>(code), category};
}

}  // namespace tollgate::quota
