#pragma once

#include <memory>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

// Ogg (RFC 3533) with Opus (RFC 7845), Vorbis, FLAC or Speex, also concatenated from several files,
// and starting or ending anywhere. The meter counts the content of the packets. Granule positions
// can only shorten it, as in decoders: by Opus' pre-skip and by a part of the last page.
//
// Of concurrent streams the longest counts; a stream that begins after others have played is added
// to them. A page counts once it is complete, as in decoders.
std::unique_ptr<meter> make_ogg_meter();

}  // namespace tollgate::routes::meters
