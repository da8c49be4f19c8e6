// Meters many files in one run: their names on standard input, one a line; on standard output a
// line for each, in the same order: the microseconds that are charged, or "refused", and what was
// found. Each is metered as an upload is: in pieces, and read a second time where its index stands
// behind its samples.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>

#include "routes/meters/sniff.hpp"

using namespace tollgate::routes::meters;

namespace {

void write(meter& to, std::string_view bytes) {
  constexpr std::size_t piece_bytes = 4096;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece_bytes, bytes.size())))
    to.write(bytes.substr(0, piece_bytes));
  to.finish();
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  for (std::string name; std::getline(std::cin, name);) {
    std::ifstream file{name, std::ios::binary};
    const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
    const auto meter = make_audio_meter({});
    write(*meter, bytes);
    if (meter->wants_second_reading()) {
      meter->begin_second_reading();
      write(*meter, bytes);
    }
    const bool charged = meter->status() == state::measuring && meter->measured() > duration{} &&
                         meter->fits_name(name.substr(name.rfind('/') + 1));
    if (charged) {
      std::cout << meter->measured().microseconds_up();
    } else {
      std::cout << "refused";
    }
    std::cout << ' ' << meter->container() << ' ' << meter->codec() << std::endl;
  }
}
