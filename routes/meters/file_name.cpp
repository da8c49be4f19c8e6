#include "routes/meters/file_name.hpp"

#include <algorithm>
#include <string>

namespace tollgate::routes::meters {
namespace {

template <std::size_t N>
bool is_one_of(std::string_view suffix, const std::string_view (&known)[N]) {
  const auto alike = [suffix](std::string_view each) {
    return std::equal(suffix.begin(), suffix.end(), each.begin(), each.end(), [](char a, char b) {
      return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
  };
  return std::any_of(std::begin(known), std::end(known), alike);
}

// In ffmpeg 5.1, found by trying all that it knows (tests/audio/crafted/names.py).
constexpr std::string_view taken_by_name[]{
    "302", "722", "adf", "afc", "al", "aptx", "aptxhd", "bitpacked", "bmv", "cdg", "cif", "daud",
    "dfpwm", "flm", "g722", "g723_1", "g729", "j2k", "mpo", "msbc", "mvi", "mxg", "ppm", "qcif",
    "rco", "rgb", "rso", "sb", "sbc", "sln", "son", "sw", "tco", "ub", "ul", "uw", "v210", "vb",
    "yuv", "yuv10"
};

}  // namespace

std::string_view suffix_of(std::string_view file_name) {
  while (!file_name.empty() && (file_name.back() == ' ' || file_name.back() == '\t'))
    file_name.remove_suffix(1);
  const auto stop = file_name.rfind('.');
  return stop == file_name.npos ? std::string_view{} : file_name.substr(stop + 1);
}

bool is_taken_by_name(std::string_view suffix) {
  return is_one_of(suffix, taken_by_name);
}

bool names_mpeg_audio(std::string_view suffix) {
  constexpr std::string_view known[]{"mp3", "mp2", "m2a", "mpa"};
  return is_one_of(suffix, known);
}

bool names_adts(std::string_view suffix) {
  constexpr std::string_view known[]{"aac"};
  return is_one_of(suffix, known);
}

}  // namespace tollgate::routes::meters
