// Usage: simulation [--seed N] [--steps N] [--runs N] [--story
// chaos|calls|plans|totals|decades|altered|set_back] Without arguments: the short form that ctest
// runs. TOLLGATE_SIMULATION_SEED and _STEPS do the same.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <random>

#include "tests/simulation/stories.hpp"

namespace {

using namespace tollgate::tests;

struct options {
  std::optional<std::uint64_t> seed;
  std::optional<std::size_t> steps;
  std::size_t runs = 1;
  std::string story;  // empty: all of them
};

std::optional<std::uint64_t> number(const char* text) {
  if (text == nullptr || *text == '\0') return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

options read_options(int argc, char** argv) {
  options chosen;
  chosen.seed = number(std::getenv("TOLLGATE_SIMULATION_SEED"));
  chosen.steps = number(std::getenv("TOLLGATE_SIMULATION_STEPS"));
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--story") chosen.story = argv[i + 1];
    const auto value = number(argv[i + 1]);
    if (name == "--seed") chosen.seed = value;
    if (name == "--steps") chosen.steps = value;
    if (name == "--runs") chosen.runs = value.value_or(1);
  }
  return chosen;
}

using story = void (*)(dice&, const script_of_a_day&);

// False if the ledgers disagree; then prints everything needed to reproduce it. `steps` is the
// requested number; a story may use a fraction of it.
bool tell(const char* name, story story, std::uint64_t seed, std::size_t steps,
          script_of_a_day day) {
  const auto begin = std::chrono::steady_clock::now();
  dice dice{seed};
  try {
    story(dice, day);
  } catch (const std::exception& failure) {
    std::cout << name << (day.durable ? " durable" : "") << ": FAILED\n"
              << failure.what() << "\nagain with: simulation --story " << name << " --seed " << seed
              << " --steps " << steps << std::endl;
    return false;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::cout << name << (day.durable ? " durable" : "") << ": seed " << seed << ", " << day.steps
            << " steps, " << took.count() << " s" << std::endl;
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const auto chosen = read_options(argc, argv);
  std::random_device chance;
  bool agreed = true;
  for (std::size_t run = 0; run < chosen.runs && agreed; ++run) {
    const auto seed = chosen.seed ? *chosen.seed + run : chance();
    const auto steps = chosen.steps.value_or(3'000);
    const auto told = [&](const char* name, story story, std::size_t share, bool durable) {
      const bool wanted = chosen.story.empty() || chosen.story == name;
      return !wanted || tell(name, story, seed, steps, {steps / share, durable});
    };
    agreed = told("chaos", run_chaos, 1, false) && told("calls", run_calls, 4, false) &&
             told("plans", run_plans, 1, false) && told("chaos", run_chaos, 20, true) &&
             told("calls", run_calls, 20, true) && told("plans", run_plans, 20, true) &&
             told("totals", run_totals, 2, false) && told("totals", run_totals, 20, true) &&
             told("decades", run_decades, 1, false) && told("altered", run_altered, 1, false) &&
             told("set_back", run_set_back, 1, false);
  }
  return agreed ? 0 : 1;
}
