#include "quota/ledger_store.hpp"

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
      case store_errc::protocol:
        return "the store answered something this version does not understand";
    }
    return "unknown store error";
  }
};

#pragma GCC diagnostic pop

}  // namespace

task<result<void>> bring_up_to_date(ledger_store& ledger, const org_id& org) {
  const auto pending = co_await ledger.pending(org);
  if (!pending) co_return pending.error();
  if (!pending->due || *pending->due > ledger.now()) co_return result<void>{};
  const operation advance{expire_holds{}};
  const auto done = co_await ledger.apply(org, advance);
  if (!done) co_return done.error();
  co_return result<void>{};
}

error_code make_error_code(store_errc code) {
  static const store_category category;
  return {static_cast<int>(code), category};
}

}  // namespace tollgate::quota
