// However a file is cut into pieces, its meter gives the same answer: split_check FILE...
//
// Each file is given to a meter as a whole, byte by byte, and in random pieces.
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <tuple>

#include "routes/meters/sniff.hpp"

namespace {

namespace meters = tollgate::routes::meters;

constexpr unsigned random_splits = 4;

using answer = std::tuple<meters::state, meters::duration, std::string, std::string>;

// `next_size` says how long the next piece is.
template <class Sizes>
answer measured(std::string_view bytes, Sizes next_size) {
  const auto meter = meters::make_audio_meter({});
  const auto write = [&](std::string_view rest) {
    while (!rest.empty()) {
      const auto piece = rest.substr(0, next_size());
      meter->write(piece);
      rest.remove_prefix(piece.size());
    }
    meter->finish();
  };
  write(bytes);
  if (meter->wants_second_reading()) {
    meter->begin_second_reading();
    write(bytes);
  }
  return {meter->status(), meter->measured(), std::string{meter->container()},
          std::string{meter->codec()}};
}

std::string in_words(const answer& given) {
  const auto& [status, length, container, codec] = given;
  return container + " " + codec + " " + std::to_string(length.microseconds_up()) + " us, state " +
         std::to_string(static_cast<int>(status));
}

bool is_indifferent(const std::string& name, const std::string& bytes) {
  const auto whole = measured(bytes, [&] { return bytes.size(); });
  const auto compare = [&](const std::string& how, const answer& other) {
    if (other == whole) return true;
    std::cout << name << ": whole: " << in_words(whole) << "; " << how << ": " << in_words(other)
              << '\n';
    return false;
  };
  bool same = compare("byte by byte", measured(bytes, [] { return std::size_t{1}; }));
  for (unsigned seed = 1; seed <= random_splits; ++seed) {
    std::mt19937 dice{seed};
    // Small pieces and large ones: 1 to 2^16 bytes, small ones more often.
    const auto size = [&] { return std::size_t{1} + dice() % (std::size_t{1} << dice() % 17); };
    same = compare("random pieces, seed " + std::to_string(seed), measured(bytes, size)) && same;
  }
  return same;
}

}  // namespace

int main(int argc, char** argv) {
  int different = 0;
  for (int i = 1; i < argc; ++i) {
    std::ifstream file{argv[i], std::ios::binary};
    const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
    if (!is_indifferent(argv[i], bytes)) ++different;
  }
  std::cout << argc - 1 << " files in other pieces: " << different << " measured differently\n";
  return different == 0 ? 0 : 1;
}
