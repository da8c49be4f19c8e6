#pragma once

#include <memory>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

// Ogg (RFC 3533) with Opus (RFC 7845), Vorbis, FLAC or Speex, also joined from several files and
// beginning or ending anywhere. What counts is what the packets contain: granule positions only
// take off what decoders take off, which is Opus' pre-skip and a part of the last page.
//
// Streams that play at once count by the longest of them; streams that begin when others have
// played are added to these. A page counts when it has come whole, as for decoders.
std::unique_ptr<meter> make_ogg_meter();

}  // namespace tollgate::routes::meters
