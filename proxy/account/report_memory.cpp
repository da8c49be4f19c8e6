#include "proxy/account/report_memory.hpp"

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

namespace tollgate::proxy::admin {

namespace {

// 1,000 rows or entries take about so much, and their text half of it.
constexpr std::size_t most_of_a_page = 1024 * 1024;
// Leaves most of a share for what is read.
constexpr std::size_t pages_a_share = 32;
// Bounded by the number of connections.
constexpr std::size_t uncounted = 4 * 1024;

class report_loan {
 public:
  report_loan(report_memory& from, quota::org_id org) : from_{from}, org_{std::move(org)} {}
  ~report_loan() { give_back(); }
  report_loan(const report_loan&) = delete;

  bool take(std::size_t bytes) {
    if (bytes > 0 && !from_.take(org_, bytes)) return false;
    taken_ += bytes;
    return true;
  }
  void give_back() {
    if (taken_ > 0) from_.give_back(org_, std::exchange(taken_, 0));
  }

 private:
  report_memory& from_;
  const quota::org_id org_;
  std::size_t taken_ = 0;
};

}  // namespace

report_memory& report_memory::shared() {
  static report_memory one;
  return one;
}

std::size_t report_memory::a_page() const {
  return std::min<std::uint64_t>(most_of_a_page, budget_.share() / pages_a_share);
}

task<api_response> bound_report(report_memory& memory, quota::org_id org, std::string request_id,
                                task<api_response> report) {
  std::optional<api_response> answer;
  try {
    const auto loan = std::make_shared<report_loan>(memory, std::move(org));
    if (!loan->take(memory.a_page())) co_return failure(no_memory("report"), request_id);
    answer = co_await std::move(report);
    loan->give_back();
    if (answer->body.size() <= uncounted) co_return *std::move(answer);
    if (!loan->take(answer->body.size())) co_return failure(no_memory("report"), request_id);
    answer->memory = loan;
  } catch (const std::bad_alloc&) {
    answer.reset();
  }
  if (!answer) co_return failure(no_memory("report"), request_id);
  co_return *std::move(answer);
}

}  // namespace tollgate::proxy::admin
