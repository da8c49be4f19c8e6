// What the name of a file makes of its content.
#pragma once

#include <string_view>

namespace tollgate::routes::meters {

// What stands behind the last full stop; nothing where there is none.
std::string_view suffix_of(std::string_view file_name);

// ffmpeg takes a file whose name ends so for that format, for it knows no other sign of it: unless
// it is surer of another one, and of MPEG and ADTS frames it is not. 20 KB of MP3 are 190 s of
// G.723.1.
bool is_taken_by_name(std::string_view suffix);
// ffmpeg knows a format by this suffix, and MPEG audio it is not: it goes by that where a tag is
// longer than it looks.
bool names_another_format(std::string_view suffix);
// The suffixes by which ffmpeg knows MPEG audio, or ADTS.
bool names_mpeg_audio(std::string_view suffix);
bool names_adts(std::string_view suffix);

}  // namespace tollgate::routes::meters
