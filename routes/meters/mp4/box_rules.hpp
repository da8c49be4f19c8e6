// Where the boxes that decide about the audio may stand.
//
// Readers look for them in different places: some walk down one path, FFmpeg takes most of them
// wherever they stand, and applies them to the last track that it has seen. So a box that would
// mean something to one of them, at a place where ordinary encoders never write it, makes a movie
// unclear.
#pragma once

#include "routes/meters/mp4/box_path.hpp"

namespace tollgate::routes::meters::mp4 {

enum class box_place : std::uint8_t {
  of_no_interest,  // to any reader
  container,       // its boxes are looked at
  read,            // it stands where it belongs, and says something
  wrong            // it stands where it does not belong, or is a box that nobody writes any more
};

box_place place_of(fourcc type, const box_path& path);

}  // namespace tollgate::routes::meters::mp4
