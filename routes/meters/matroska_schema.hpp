// Which elements of Matroska may stand where, and how long they may be (RFC 9559, section 5).
#pragma once

#include "routes/meters/ebml.hpp"
#include "routes/meters/matroska_ids.hpp"

namespace tollgate::routes::meters {

namespace matroska_schema {

// No master: the place of EBML headers and Segments.
constexpr std::uint32_t document = 0;

bool is_master(std::uint32_t element);

// Whether decoders would read it in this master without an error, and as what we take it for.
// Elements that nobody knows may stand in most masters, but not in a Segment or a SeekHead: no
// encoder writes them there.
bool allows(const ebml_element& element, std::uint32_t master);

}  // namespace matroska_schema

}  // namespace tollgate::routes::meters
