// What is kept ready for a call, against the rows it is made of. Pure.
#pragma once

#include <vector>

#include "quota/audit.hpp"
#include "quota/guards.hpp"

namespace tollgate::quota {

// The gate's numbers as they follow from plan, grants, holds and top-ups. `recorded` decides only
// what the clock has decided: whether a pause of top-ups was over, and whether alerts were still to
// be looked at, when it was written.
gate_numbers gate_of(const account_guards& guards, const gate_numbers& recorded);

// Gate, request rate, levels of alerts, and what cycles keep for late calls.
std::vector<difference> audit_gate(const account_guards& guards);

}  // namespace tollgate::quota
