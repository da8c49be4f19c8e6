// The schema version of an account and of the whole store. A release writes its own version, reads
// older ones, and refuses newer ones; see quota/redis/README.md.
#pragma once

namespace tollgate::quota {

// 1: releases that recorded no version. 2: holds state whether limits have counted them.
inline constexpr int schema_version = 2;

}  // namespace tollgate::quota
