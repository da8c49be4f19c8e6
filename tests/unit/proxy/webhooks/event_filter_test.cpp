#include "proxy/webhooks/event_filter.hpp"

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include <gtest/gtest.h>

namespace tollgate::proxy::webhooks {
namespace {

TEST(event_filter, is_a_type_or_all_of_them) {
  for (const char* filter : {"*", "account.*", "account.usage_threshold", "account.cycle_closed"}) {
    EXPECT_TRUE(is_event_filter(filter)) << filter;
  }
  for (const char* filter : {"", "account", "account.", "account.usage", "account.usage_*", "**",
                             "*.usage_threshold", "usage_threshold", "ACCOUNT.*", "account.* "}) {
    EXPECT_FALSE(is_event_filter(filter)) << filter;
  }
}

TEST(wants, what_one_of_the_filters_says) {
  EXPECT_TRUE(wants({"*"}, "account.usage_threshold"));
  EXPECT_TRUE(wants({"account.*"}, "account.usage_threshold"));
  EXPECT_FALSE(wants({"account.*"}, "webhook.test"));
  EXPECT_TRUE(
      wants({"account.cycle_closed", "account.usage_threshold"}, "account.usage_threshold"));
  EXPECT_FALSE(wants({"account.cycle_closed"}, "account.usage_threshold"));
  EXPECT_FALSE(wants({"account.usage_threshold"}, "account.usage_threshold_2"));
  EXPECT_FALSE(wants({}, "account.usage_threshold"));
}

// Every type that the ledger writes must be selectable on its own.
TEST(event_types, are_those_that_the_ledger_writes) {
  std::stringstream text;
  for (const auto& file :
       std::filesystem::directory_iterator{TOLLGATE_SOURCE_DIR "/quota/ledger/scripts"}) {
    text << std::ifstream{file.path()}.rdbuf();
  }
  const std::string script = text.str();
  const std::regex kind{R"(emit[a-z_]*\(account, '([a-z_]+)')"};
  std::size_t found = 0;
  for (std::sregex_iterator at{script.begin(), script.end(), kind}, end; at != end; ++at, ++found) {
    EXPECT_TRUE(is_event_filter("account." + (*at)[1].str())) << (*at)[1];
  }
  EXPECT_GT(found, 5u);
  for (const char* by_the_directory : {"account.suspended", "account.resumed"}) {
    EXPECT_TRUE(is_event_filter(by_the_directory)) << by_the_directory;
  }
}

}  // namespace
}  // namespace tollgate::proxy::webhooks
