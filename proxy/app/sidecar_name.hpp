// By which name this Tollgate presents itself to the others at its store.
#pragma once

#include <string>

#include "config/settings.hpp"

namespace tollgate::proxy {

// Host, address and a random id. Two Tollgates never have the same name, also if both say
// `localhost` and listen on the same address. With a journal the id is kept in its directory, which
// only one process uses, so a Tollgate that restarts there has its name again. Without one the
// name is new: the store forgets the former one after a minute. Call it once the journal is locked.
std::string sidecar_name(const config::settings& settings);

// The id in this file, or a new one if there is none that was made for this file: one that was
// copied with its directory belongs to another Tollgate. Empty: it cannot be kept there.
std::string id_kept_in(const std::string& file);

}  // namespace tollgate::proxy
