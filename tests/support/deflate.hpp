// Compresses bytes with zlib, for tests of decoders.
#pragma once

#include <string>
#include <string_view>

#include <zlib.h>

namespace tollgate::tests {

// The frame around the compressed data; the numbers are zlib's `windowBits`.
enum class framing { none = -15, zlib = 15, gzip = 31 };

// A gzip member may have a file name: `name`.
inline std::string deflated(std::string_view bytes, framing around = framing::gzip, int level = 6,
                            std::string name = "") {
  z_stream stream{};
  deflateInit2(&stream, level, Z_DEFLATED, static_cast<int>(around), 8, Z_DEFAULT_STRATEGY);
  gz_header header{};
  header.name = reinterpret_cast<Bytef*>(name.data());
  if (!name.empty()) deflateSetHeader(&stream, &header);
  std::string out(deflateBound(&stream, bytes.size()) + name.size(), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace tollgate::tests
