// The text of the gate, as ledger/scripts/gate.lua reads and writes it. A test compares the two.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "quota/guards.hpp"

namespace tollgate::quota::redis {

std::string pack_gate(const gate_numbers& gate);

// Nothing if it is not in the form that the ledger writes.
std::optional<gate_numbers> unpack_gate(std::string_view text);

}  // namespace tollgate::quota::redis
