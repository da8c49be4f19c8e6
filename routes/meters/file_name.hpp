// How a file's name changes the way its content is read.
#pragma once

#include <string_view>

namespace tollgate::routes::meters {

// The part after the last full stop; empty if there is none.
std::string_view suffix_of(std::string_view file_name);

// ffmpeg knows this format by the suffix only, and uses it unless the content is a surer sign of
// another format. MPEG and ADTS frames are not: 20 KB of MP3 become 190 s of G.723.1.
bool is_taken_by_name(std::string_view suffix);
// ffmpeg knows a format other than MPEG audio by this suffix. It uses the suffix when a tag is
// longer than the bytes it examines.
bool names_another_format(std::string_view suffix);
// The suffixes of MPEG audio and of ADTS in ffmpeg.
bool names_mpeg_audio(std::string_view suffix);
bool names_adts(std::string_view suffix);

}  // namespace tollgate::routes::meters
