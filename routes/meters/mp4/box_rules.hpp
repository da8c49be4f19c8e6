// Defines where the boxes that determine the audio may be.
//
// Readers look for them in different places: some walk down one path; FFmpeg accepts most of them
// anywhere and applies them to the track it saw last. So a movie is unclear if it has a box that
// means something to a reader at a place where ordinary encoders never write it.
#pragma once

#include "routes/meters/mp4/box_path.hpp"

namespace tollgate::routes::meters::mp4 {

enum class box_place : std::uint8_t {
  of_no_interest,  // to any reader
  container,       // its boxes are examined
  read,            // a box in its regular place, with content to read
  wrong            // a misplaced or obsolete box
};

box_place place_of(fourcc type, const box_path& path);

}  // namespace tollgate::routes::meters::mp4
