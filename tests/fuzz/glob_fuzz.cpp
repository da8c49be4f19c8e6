// Globs against their definition: a table of which prefix of the pattern matches which prefix of
// the text, filled in from the front.
#include <vector>

#include "routes/glob.hpp"
#include "routes/text.hpp"
#include "tests/fuzz/input.hpp"

using namespace tollgate::routes;
using tollgate::fuzz::require;

namespace {

std::vector<std::string> characters(std::string_view text) {
  std::vector<std::string> out;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80 || out.empty()) out.emplace_back();
    out.back() += c;
  }
  return out;
}

bool by_definition(std::string_view pattern, std::string_view text) {
  const auto p = characters(pattern), t = characters(text);
  std::vector<std::vector<bool>> reach(p.size() + 1, std::vector<bool>(t.size() + 1));
  for (std::size_t i = 0; i <= p.size(); ++i)
    for (std::size_t j = 0; j <= t.size(); ++j) {
      if (i == 0)
        reach[i][j] = j == 0;
      else if (p[i - 1] == "*")
        reach[i][j] = reach[i - 1][j] || (j > 0 && reach[i][j - 1]);
      else
        reach[i][j] = j > 0 && (p[i - 1] == "?" || p[i - 1] == t[j - 1]) && reach[i - 1][j - 1];
    }
  return reach[p.size()][t.size()];
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 400) return 0;
  tollgate::fuzz::input in{data, size};
  const auto first = glob::parse(in.line());
  const auto second = glob::parse(in.line());
  const auto text = fold(in.rest());
  const auto* a = std::get_if<glob>(&first);
  if (a == nullptr || !is_utf8(text)) return 0;
  require(fold(text) == text, "folding twice is folding once");
  require(a->matches(text) == by_definition(fold(a->text()), text),
          "a glob is what it is defined as");
  const auto* b = std::get_if<glob>(&second);
  if (b == nullptr) return 0;
  if (a->covers(*b)) require(a->matches(text) || !b->matches(text), "covers is sound");
  if (!a->overlaps(*b)) require(!a->matches(text) || !b->matches(text), "overlaps is sound");
  return 0;
}
