#include "routes/meters/mp4/box_rules.hpp"

#include <algorithm>

namespace tollgate::routes::meters::mp4 {
namespace {

constexpr fourcc top = 0;

struct rule {
  fourcc type, parent;
  box_place place;
};
using enum box_place;

constexpr std::array rules{
    rule{name("moov"), top, read},
    rule{name("mvhd"), name("moov"), read},
    rule{name("trak"), name("moov"), read},
    rule{name("mvex"), name("moov"), container},
    rule{name("tkhd"), name("trak"), read},
    rule{name("edts"), name("trak"), container},
    rule{name("mdia"), name("trak"), container},
    rule{name("elst"), name("edts"), read},
    rule{name("mdhd"), name("mdia"), read},
    rule{name("minf"), name("mdia"), container},
    rule{name("stbl"), name("minf"), container},
    rule{name("stsd"), name("stbl"), read},
    rule{name("stts"), name("stbl"), read},
    rule{name("stsc"), name("stbl"), read},
    rule{name("stsz"), name("stbl"), read},
    rule{name("stz2"), name("stbl"), read},
    rule{name("stco"), name("stbl"), read},
    rule{name("co64"), name("stbl"), read},
    rule{name("ctts"), name("stbl"), read},
    rule{name("trex"), name("mvex"), read},
    rule{name("moof"), top, read},
    rule{name("traf"), name("moof"), read},
    rule{name("tfhd"), name("traf"), read},
    rule{name("trun"), name("traf"), read},
};

// Boxes that may appear in several places, in which readers search for any of the above.
constexpr std::array open_everywhere{name("udta"), name("dinf"), name("tref"), name("gmhd"),
                                     name("ilst")};

// A compressed index, a RIFF header, a general configuration, keys: readers would use their content
// instead.
constexpr std::array never{name("cmov"), name("wfex"), name("glbl"), name("adrm")};

// Boxes that encoders put into a codec's description. `wave` contains the names of formats.
constexpr std::array in_entry{
    name("chan"), name("chnl"), name("btrt"), name("damr"),       name("dac3"),      name("dec3"),
    name("dOps"), name("frma"), name("enda"), name("pcmC"),       name("SA3D"),      name("srat"),
    name("ludt"), name("free"), name("skip"), name("uuid"),       name("mp4a"),      name("samr"),
    name("sawb"), name("bitr"), name("iods"), fourcc{0x6D730011}, fourcc{0x6D730002}};
constexpr std::array configurations{name("esds"), name("dfLa"), name("alac")};

template <class Types>
bool contains(const Types& types, fourcc type) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

box_place place_in_entry(fourcc type) {
  if (type == name("wave")) return container;
  if (contains(configurations, type)) return read;
  constexpr fourcc end_of_list = 0;
  return type == end_of_list || contains(in_entry, type) ? of_no_interest : wrong;
}

}  // namespace

box_place place_of(fourcc type, const box_path& path) {
  const auto parent = path.parent();
  if (parent == name("stsd")) return read;
  if (path.is_inside(name("stsd"))) return place_in_entry(type);
  if (contains(never, type) || contains(configurations, type)) return wrong;
  if (contains(open_everywhere, type)) return container;
  if (type == name("meta") || type == name("hdlr")) return read;
  if (type == name("free") || type == name("skip") || type == name("hoov")) return read;
  const auto* const found = std::find_if(rules.begin(), rules.end(),
                                         [type](const rule& each) { return each.type == type; });
  if (found == rules.end()) return of_no_interest;
  return found->parent == parent ? found->place : wrong;
}

}  // namespace tollgate::routes::meters::mp4
