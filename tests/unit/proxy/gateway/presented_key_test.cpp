#include "proxy/gateway/presented_key.hpp"

#include <gtest/gtest.h>

namespace tollgate::proxy {
namespace {

TEST(PresentedKey, EveryKeyHasItsOwnHashWhateverCameBefore) {
  presented_key connection;
  const std::string long_one(300, 'k'), longer_one(301, 'k');
  for (const std::string& key :
       {std::string{"tg_a"}, std::string{"tg_a"}, std::string{"tg_b"}, std::string{"tg_bb"},
        long_one, long_one, longer_one, std::string{"tg_a"}, std::string{}, std::string{"tg_b"}}) {
    EXPECT_EQ(connection.hash_of(key), quota::hash_key(key)) << key;
  }
}

}  // namespace
}  // namespace tollgate::proxy
