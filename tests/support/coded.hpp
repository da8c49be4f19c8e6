// Compresses bytes with zstd and brotli, for tests of decoders; deflate.hpp has zlib.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <brotli/encode.h>
#include <zstd.h>

namespace tollgate::tests {

inline std::string zstd_of(std::string_view bytes, int level = 3) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), level));
  return out;
}

inline std::string brotli_of(std::string_view bytes, int quality = 5, int window = 22) {
  std::size_t size = BrotliEncoderMaxCompressedSize(bytes.size()) + 1024;
  std::string out(size, '\0');
  BrotliEncoderCompress(quality, window, BROTLI_MODE_GENERIC, bytes.size(),
                        reinterpret_cast<const std::uint8_t*>(bytes.data()), &size,
                        reinterpret_cast<std::uint8_t*>(out.data()));
  out.resize(size);
  return out;
}

}  // namespace tollgate::tests
