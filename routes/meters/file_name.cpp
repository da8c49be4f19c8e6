#include "routes/meters/file_name.hpp"

#include <algorithm>
#include <string>

namespace tollgate::routes::meters {
namespace {

template <std::size_t N>
bool is_one_of(std::string_view suffix, const std::string_view (&known)[N]) {
  const auto alike = [suffix](std::string_view each) {
    return std::equal(suffix.begin(), suffix.end(), each.begin(), each.end(), [](char a, char b) {
      return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
  };
  return std::any_of(std::begin(known), std::end(known), alike);
}

// ffmpeg 5.1's list, found by trying all of its suffixes (tests/audio/crafted/names.py).
constexpr std::string_view taken_by_name[]{
    "302", "722",  "adf",   "afc",  "al",   "aptx",   "aptxhd", "bitpacked", "bmv", "cdg",
    "cif", "daud", "dfpwm", "flm",  "g722", "g723_1", "g729",   "j2k",       "mpo", "msbc",
    "mvi", "mxg",  "ppm",   "qcif", "rco",  "rgb",    "rso",    "sb",        "sbc", "sln",
    "son", "sw",   "tco",   "ub",   "ul",   "uw",     "v210",   "vb",        "yuv", "yuv10"};

// Picture formats that ffmpeg knows by name only.
constexpr std::string_view names_of_pictures[]{
    "bmp",  "cri",    "dds", "dpx",   "exr",    "fits", "gem",  "gif",  "hdr",  "im1",
    "im24", "im32",   "im8", "img",   "j2c",    "j2k",  "jls",  "jp2",  "jpc",  "jpeg",
    "jpf",  "jpg",    "jps", "jpx",   "ljpg",   "mng",  "mpo",  "pam",  "pbm",  "pcd",
    "pct",  "pcx",    "pfm", "pgm",   "pgmyuv", "pgx",  "phm",  "pic",  "pict", "pix",
    "png",  "pnm",    "pns", "ppm",   "psd",    "ptx",  "qoi",  "ras",  "rs",   "sgi",
    "sun",  "sunras", "svg", "svgz",  "tga",    "tif",  "tiff", "timg", "u",    "vbn",
    "wbmp", "webp",   "xbm", "xface", "ximg",   "xpm",  "xwd",  "y",    "yuv10"};

// All suffixes of ffmpeg 5.1's demuxers except the MPEG audio one (`ffmpeg -h demuxer=…`), and
// those that NSV's probe also accepts.
constexpr std::string_view names_of_formats[]{
    "264",   "265",   "302",  "3g2",       "3gp",  "669",   "722",   "aa",     "aa3",    "aac",
    "aax",   "ac3",   "acm",  "adf",       "adp",  "ads",   "adx",   "aea",    "afc",    "aix",
    "al",    "amf",   "ams",  "ans",       "ape",  "apl",   "aptx",  "aptxhd", "aqt",    "art",
    "asc",   "ast",   "avc",  "avi",       "avif", "avr",   "avs",   "avs2",   "avs3",   "bcstm",
    "bfstm", "binka", "bit",  "bitpacked", "bmv",  "brstm", "c2",    "cdata",  "cdg",    "cdxl",
    "cgi",   "cif",   "dat",  "daud",      "dav",  "dbm",   "dfpwm", "dif",    "digi",   "diz",
    "dmf",   "dsm",   "dss",  "dtk",       "dtm",  "dts",   "dtshd", "dv",     "eac3",   "f4v",
    "fap",   "far",   "flac", "flm",       "flv",  "fsb",   "fwse",  "g722",   "g723_1", "g729",
    "gdm",   "genh",  "gsm",  "h261",      "h264", "h265",  "h26l",  "hca",    "hevc",   "ice",
    "idf",   "idx",   "ifv",  "imf",       "imx",  "ipu",   "ircam", "ism",    "isma",   "ismv",
    "it",    "ivr",   "j2b",  "j2k",       "kux",  "lvf",   "m15",   "m4a",    "m4b",    "m4v",
    "mac",   "mca",   "mcc",  "mdl",       "med",  "mj2",   "mjpeg", "mjpg",   "mk3d",   "mka",
    "mks",   "mkv",   "mlp",  "mmcmp",     "mms",  "mo3",   "mod",   "mods",   "moflex", "mov",
    "mp4",   "mpc",   "mpl2", "mpo",       "mptm", "msbc",  "msf",   "mt2",    "mtaf",   "mtm",
    "musx",  "mvi",   "mxg",  "nfo",       "nist", "nsp",   "nst",   "nsv",    "nut",    "obu",
    "ogg",   "okt",   "oma",  "omg",       "paf",  "pjs",   "plm",   "ppm",    "psm",    "psp",
    "pt36",  "ptm",   "pvf",  "qcif",      "rco",  "rcv",   "rgb",   "rsd",    "rso",    "rt",
    "s3m",   "sami",  "sb",   "sbc",       "sbg",  "scc",   "sdr2",  "sds",    "sdx",    "ser",
    "sf",    "sfx",   "sfx2", "sga",       "shn",  "sln",   "smi",   "son",    "sph",    "ss2",
    "st26",  "stk",   "stl",  "stm",       "stp",  "str",   "sub",   "sup",    "svag",   "svs",
    "sw",    "tak",   "tco",  "thd",       "tta",  "txt",   "ty",    "ty+",    "ub",     "ul",
    "ult",   "umx",   "uw",   "v",         "v210", "vag",   "vb",    "vc1",    "viv",    "vpk",
    "vqe",   "vqf",   "vql",  "vt",        "vtt",  "webm",  "wow",   "wsd",    "xl",     "xm",
    "xmv",   "xpk",   "xvag", "y4m",       "yop",  "yuv",   "yuv10"};

}  // namespace

std::string_view suffix_of(std::string_view file_name) {
  while (!file_name.empty() && (file_name.back() == ' ' || file_name.back() == '\t'))
    file_name.remove_suffix(1);
  const auto stop = file_name.rfind('.');
  return stop == file_name.npos ? std::string_view{} : file_name.substr(stop + 1);
}

bool is_taken_by_name(std::string_view suffix) {
  return is_one_of(suffix, taken_by_name);
}

bool names_another_format(std::string_view suffix) {
  return is_one_of(suffix, names_of_formats) || is_one_of(suffix, names_of_pictures);
}

bool names_mpeg_audio(std::string_view suffix) {
  constexpr std::string_view known[]{"mp3", "mp2", "m2a", "mpa"};
  return is_one_of(suffix, known);
}

bool names_adts(std::string_view suffix) {
  constexpr std::string_view known[]{"aac"};
  return is_one_of(suffix, known);
}

}  // namespace tollgate::routes::meters
