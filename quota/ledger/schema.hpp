// The version of what the ledger stores, of an account and of the whole store. A version writes its
// own, reads those before it, and refuses those behind it; see quota/redis/README.md.
#pragma once

namespace tollgate::quota {

// 1: releases that noted no version. 2: holds say whether limits have counted them.
inline constexpr int schema_version = 2;

}  // namespace tollgate::quota
