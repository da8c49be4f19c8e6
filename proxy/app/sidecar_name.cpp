#include "proxy/app/sidecar_name.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <stdexcept>

#include <fmt/format.h>
#include <openssl/rand.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include "quota/hex.hpp"

namespace tollgate::proxy {

namespace {

constexpr std::size_t id_bytes = 8;

std::string new_id() {
  std::array<unsigned char, id_bytes> bytes{};
  if (RAND_bytes(bytes.data(), id_bytes) != 1) throw std::runtime_error{"no random bytes"};
  return quota::to_hex(bytes);
}

bool is_id(const std::string& text) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == 2 * id_bytes && std::ranges::all_of(text, is_digit);
}

// A copy of the file has another one.
std::string inode_of(const std::string& file) {
  struct stat found {};
  return ::stat(file.c_str(), &found) == 0 ? std::to_string(found.st_ino) : "";
}

std::string id_of(const config::settings& settings) {
  const auto& directory = settings.journal.directory;
  if (directory.empty() || !settings.metering) return new_id();
  auto kept = id_kept_in(directory + "/id");
  if (!kept.empty()) return kept;
  spdlog::warn(
      "journal {}: the name of this Tollgate cannot be kept there: if it is killed and starts "
      "again with other plans, they are in force a minute later",
      directory);
  return new_id();
}

}  // namespace

std::string id_kept_in(const std::string& file) {
  std::string id, inode;
  std::ifstream{file} >> id >> inode;
  if (is_id(id) && inode == inode_of(file)) return id;
  id = new_id();
  std::ofstream out{file, std::ios::trunc};
  out << id << ' ' << inode_of(file) << '\n' << std::flush;
  return out ? id : "";
}

std::string sidecar_name(const config::settings& settings) {
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  const auto& listen = settings.listen;
  const auto where = listen.unix_path.empty() ? fmt::format("{}:{}", listen.host, listen.port)
                                              : "unix:" + listen.unix_path;
  return fmt::format("{} {} {}", host, where, id_of(settings));
}

}  // namespace tollgate::proxy
