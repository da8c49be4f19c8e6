// However a file is cut into pieces, its meter gives the same answer, and a call that is metered by
// it holds at most twice its price: split_check FILE...
//
// Each file is given to a meter as a whole, byte by byte, and in random pieces.
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <tuple>

#include "quota/charge.hpp"
#include "routes/meters/sniff.hpp"

namespace {

namespace meters = tollgate::routes::meters;
namespace quota = tollgate::quota;

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

// What a call holds while a file is metered, at most, and what it costs. The ledger gives all that
// is asked for.
struct held_and_cost {
  quota::credits held, cost;
};

template <class Sizes>
held_and_cost held_for(std::string_view bytes, Sizes next_size) {
  using quota::charge;
  charge::terms terms;
  terms.price_at = {"stt", quota::credits::from_whole(3), quota::unit::minute,
                    quota::meter_kind::request_audio, 1'000'000};
  terms.estimated = {terms.price_at.increment_us};
  charge money{terms};
  money.resume(charge::begin{});
  money.resume(charge::answered{{quota::outcome::held, money.held(), {}}});
  quota::credits most = money.held();
  const auto meter = meters::make_audio_meter({});
  const auto feed = [&](bool final) {
    auto action = money.resume(charge::metered{{meter->measured().microseconds_up()}, final});
    while (const auto* asked = std::get_if<charge::apply>(&action)) {
      const auto* more = std::get_if<quota::extend>(&asked->what);
      const auto amount =
          more != nullptr ? more->amount : std::get<quota::release>(asked->what).amount;
      most = std::max(most, amount);
      action = money.resume(charge::answered{
          {more != nullptr ? quota::outcome::extended : quota::outcome::released, amount, {}}});
    }
  };
  while (!bytes.empty()) {
    const auto piece = bytes.substr(0, next_size());
    meter->write(piece);
    bytes.remove_prefix(piece.size());
    feed(false);
  }
  meter->finish();
  feed(true);
  return {most, quota::price(terms.price_at, {meter->measured().microseconds_up()})};
}

bool holds_little(const std::string& name, const std::string& bytes) {
  std::mt19937 dice{1};
  const auto random = [&] { return std::size_t{1} + dice() % (std::size_t{1} << dice() % 17); };
  const auto as_read = [] { return std::size_t{64 * 1024}; };
  const auto first_second = quota::credits::from_micro(50'000);
  for (const auto& [held, cost] : {held_for(bytes, random), held_for(bytes, as_read)}) {
    if (held <= std::max(cost + cost, first_second)) continue;
    std::cout << name << ": holds " << to_string(held) << " and costs " << to_string(cost) << '\n';
    return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  int different = 0, greedy = 0;
  for (int i = 1; i < argc; ++i) {
    std::ifstream file{argv[i], std::ios::binary};
    const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
    if (!is_indifferent(argv[i], bytes)) ++different;
    if (!holds_little(argv[i], bytes)) ++greedy;
  }
  std::cout << argc - 1 << " files in other pieces: " << different << " measured differently, "
            << greedy << " held more than twice their price\n";
  return different + greedy == 0 ? 0 : 1;
}
