// Defines where Matroska elements may be and how long they may be (RFC 9559, section 5).
#pragma once

#include "routes/meters/ebml.hpp"
#include "routes/meters/matroska_ids.hpp"

namespace tollgate::routes::meters {

namespace matroska_schema {

// The parent of EBML headers and Segments: no master.
constexpr std::uint32_t document = 0;

bool is_master(std::uint32_t element);

// Whether decoders would read the element in this master without an error and with the same meaning
// as this meter. Unknown elements may be in most masters, but not in a Segment or a SeekHead: no
// encoder writes them there.
bool allows(const ebml_element& element, std::uint32_t master);

}  // namespace matroska_schema

}  // namespace tollgate::routes::meters
