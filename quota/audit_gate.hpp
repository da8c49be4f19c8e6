// Compares the values that are prepared for calls with the rows they are computed from. Pure.
#pragma once

#include <vector>

#include "quota/audit.hpp"
#include "quota/guards.hpp"

namespace tollgate::quota {

// The gate's numbers, computed from plan, grants, holds and top-ups. `recorded` only supplies what
// the clock had decided when it was written: whether a pause of top-ups was over, and whether
// alerts were still to be checked.
gate_numbers gate_of(const account_guards& guards, const gate_numbers& recorded);

// The gate, the request rate, the levels of alerts, and what cycles keep for late calls.
std::vector<difference> audit_gate(const account_guards& guards);

}  // namespace tollgate::quota
