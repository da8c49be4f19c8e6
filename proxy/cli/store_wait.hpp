// How commands wait for the store.
#pragma once

#include <chrono>
#include <string>

#include "quota/store.hpp"
#include "quota/task.hpp"

namespace tollgate::proxy {

inline constexpr std::chrono::milliseconds store_patience{10'000};

// Waits until the ledger takes operations: true. False after `store_patience`, or at once where
// only an operator can help.
task<bool> wait_for_store(quota::store& store, io_executor executor);

// Why the store takes no operations, for the caller of a command.
std::string why_unavailable(const quota::store& store);

}  // namespace tollgate::proxy
