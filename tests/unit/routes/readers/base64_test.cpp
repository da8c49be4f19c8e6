#include "routes/readers/base64.hpp"

#include "tests/support/base64_text.hpp"
#include "tests/unit/routes/readers/support.hpp"

namespace tollgate::routes::readers {
namespace {

outcome decode(std::string_view text) {
  return read_body([](sink& to) { return std::make_unique<tests::base64_text>(to); }, text);
}
outcome decoded(std::string bytes) {
  return {fault::none, std::move(bytes)};
}

TEST(base64, decodes_the_vectors_of_rfc_4648) {
  EXPECT_EQ(decode(""), decoded(""));
  EXPECT_EQ(decode("Zg=="), decoded("f"));
  EXPECT_EQ(decode("Zm8="), decoded("fo"));
  EXPECT_EQ(decode("Zm9v"), decoded("foo"));
  EXPECT_EQ(decode("Zm9vYmFyCg=="), decoded("foobar\n"));
}

TEST(base64, takes_both_alphabets_blanks_and_missing_padding) {
  EXPECT_EQ(decode("-_-_"), decode("+/+/"));
  EXPECT_EQ(decode(" Z m9\r\nvYg\t=\n= "), decoded("foob"));
  EXPECT_EQ(decode("Zm9vYg"), decoded("foob"));
  EXPECT_EQ(decode("Zm9vYmE"), decoded("fooba"));
}

TEST(base64, refuses_what_decoders_disagree_about) {
  for (const auto* text : {"Z", "Zm9vY", "=", "Z===", "Zg=", "Zg===", "Zg==Zg==", "Zm8=Z",
                           "Zm9v====", "Zm9v!", "Zm9v\x80", "Zm\\/"})
    EXPECT_EQ(decode(text).problem, fault::malformed) << text;
}

TEST(base64, decodes_any_bytes) {
  for (const std::size_t length : {1, 2, 3, 100, 6143, 6144, 6145, 20'000}) {
    const auto bytes = random_bytes(length);
    EXPECT_EQ(decode(to_base64(bytes)), decoded(bytes));
    EXPECT_EQ(decode(to_base64(bytes, true, false)), decoded(bytes));
  }
}

}  // namespace
}  // namespace tollgate::routes::readers
