#include "quota/directory.hpp"

#include <gtest/gtest.h>

namespace tollgate::quota {
namespace {

TEST(hash_key, is_sha_256_in_lowercase_hex) {
  EXPECT_EQ(hash_key("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash_key(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace tollgate::quota
