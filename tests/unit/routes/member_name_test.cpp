#include "routes/member_name.hpp"

#include <gtest/gtest.h>

namespace tollgate::routes {
namespace {

using namespace std::string_literals;

bool taken(const std::string& written, const std::string& wanted = "model") {
  return may_be_taken_for(written, skeleton(wanted));
}

TEST(member_name, is_what_some_reader_takes_for_it) {
  for (const auto& name :
       {"model"s, "Model"s, "MODEL"s, "model\0x"s, "model\0"s, "mo\0del"s, "\0model"s, "model "s,
        " model"s, "model\t"s, "\x1Fmodel\x7F"s, "mo-del"s, "_model"s,
        // no-break space, zero width joiner, soft hyphen, byte order mark, C1, a tag
        "model\u00A0"s, "mo\u200Ddel"s, "mo\u00ADdel"s, "\uFEFFmodel"s, "model\u0085"s,
        "model\U000E0001"s,
        // full width, mathematical, circled, superscript; one letter that folds to several
        "\uFF4Dodel"s, "\U0001D5C6\U0001D5C8\U0001D5BD\U0001D5BE\U0001D5C5"s, "\u24DCodel"s,
        "mode\u02E1"s, "m\u2092del"s,
        // lone surrogates, as passed on by a reader that works in pieces
        "mo\xED\xA0\x80"
        "del"s,
        "__proto__"s})
    EXPECT_TRUE(taken(name)) << testing::PrintToString(name);
  EXPECT_TRUE(taken("\u212Aey", "key"));
  EXPECT_TRUE(taken("querie\u017F", "queries"));
  EXPECT_TRUE(taken("\u0130d", "id"));
  EXPECT_TRUE(taken("o\uFB03ce", "office"));
  for (const std::string name : {"best_of", "bestOf", "BestOf", "best-of", "BEST_OF", "best_of\t"})
    EXPECT_TRUE(taken(name, "best_of")) << name;
}

TEST(member_name, is_not_what_nobody_does) {
  for (const auto& name :
       {""s, "mode"s, "models"s, "amodel"s, "x\0model"s, "mod\u00E9l"s, "m\u00F6del"s,
        "\u043Codel"s, "\u6A21\u578B"s, "\U0001F642"s, "model.x"s, "model[]"s, "proto"s})
    EXPECT_FALSE(taken(name)) << testing::PrintToString(name);
  EXPECT_FALSE(taken("messages", "n"));
  EXPECT_FALSE(taken("\U0001F642", "n"));
}

TEST(member_name, may_go_on) {
  EXPECT_FALSE(may_be_taken_for("mod", "model"));
  EXPECT_TRUE(may_be_taken_for("mod", "model", true));
  EXPECT_TRUE(may_be_taken_for("\u200Bmod", "model", true));
  EXPECT_FALSE(may_be_taken_for("mox", "model", true));
  EXPECT_FALSE(may_be_taken_for("modelx\u200B", "model", true));
}

}  // namespace
}  // namespace tollgate::routes
