// The shipped file, damaged at random: loading it never crashes, and returns a configuration or
// problems that have a position in the file.
#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>

#include "tests/unit/config/support.hpp"

namespace tollgate::config {
namespace {

class vandal {
 public:
  vandal(std::string text, std::uint64_t seed) : text_{std::move(text)}, random_{seed} {}

  std::string damage() {
    std::string out = text_;
    for (std::size_t times = 1 + below(4); times != 0; --times) damage_once(out);
    return out;
  }

 private:
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }

  void damage_once(std::string& text) {
    static const std::vector<std::string> pieces{
        "{",       "}",      "[",    "]",        ":",    ": ",
        "- ",      "\n",     "\n  ", "\"",       "'",    "#",
        "&a ",     "*a",     "!t ",  "|\n",      "~",    "${",
        "${NOPE}", "${SET}", "$",    "\t",       "\r\n", "---\n",
        "...\n",   "\x01",   "\xff", "\xC3\xA9", "-1",   "99999999999999999999",
        "<<: ",    "? ",     ",",    "null",     "%",    "@",
        "`"};
    const std::size_t at = below(text.size());
    switch (below(6)) {
      case 0:
        text.erase(at, 1 + below(20));
        break;
      case 1:
        text.insert(at, pieces[below(pieces.size())]);
        break;
      case 2:
        text[std::min(at, text.size() - 1)] = static_cast<char>(random_());
        break;
      case 3:
        text.insert(below(text.size()), text.substr(at, below(200)));
        break;
      case 4:
        swap_lines(text);
        break;
      default:
        if (below(8) == 0) text.resize(std::max<std::size_t>(at, 1));
        break;
    }
    if (text.empty()) text = "\n";
  }

  void swap_lines(std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    if (lines.empty()) return;
    std::swap(lines[below(lines.size())], lines[below(lines.size())]);
    text.clear();
    for (const auto& line : lines) text += line + "\n";
  }

  std::string text_;
  std::mt19937_64 random_;
};

TEST(mutation, a_damaged_file_is_a_configuration_or_has_located_problems) {
  std::ifstream file{TOLLGATE_SOURCE_DIR "/config/tollgate.yaml"};
  std::ostringstream original;
  original << file.rdbuf();
  int accepted = 0, refused = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const std::string text = vandal{original.str(), seed}.damage();
    const auto loaded = load_text(text, "t.yaml", test::table({{"SET", "{a: [b"}}));
    const auto* errors = std::get_if<std::vector<config_error>>(&loaded);
    if (errors == nullptr) {
      ++accepted;
      EXPECT_FALSE(std::get<configuration>(loaded).routes.routes().empty());
      continue;
    }
    ++refused;
    ASSERT_FALSE(errors->empty());
    const auto lines = 1 + std::count(text.begin(), text.end(), '\n');
    for (const auto& error : *errors) {
      EXPECT_TRUE(error.line >= 1 && error.line <= lines) << to_string(error);
      EXPECT_GE(error.column, 1) << to_string(error);
      EXPECT_FALSE(error.message.empty());
    }
  }
  // Comments are a large part, so some damage is harmless; neither result may be rare.
  EXPECT_GT(accepted, 40);
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace tollgate::config
