#include "quota/redis/append_only_file.hpp"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include <boost/crc.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "quota/redis/append_only_manifest.hpp"
#include "quota/redis/append_only_parser.hpp"
#include "quota/redis/block_checksums.hpp"

namespace tollgate::quota::redis {

namespace {

namespace fs = std::filesystem;

using damage = append_only_parser::damage;
// The checksum at the end of a snapshot.
using snapshot_crc = boost::crc_optimal<64, 0xad93d23594c935a9, 0, 0, true, true>;

struct report {
  std::optional<damage> damaged;
  std::uint64_t size = 0, whole = 0;
};

// Calls `look(bytes)` for one block after the other, until it returns false. Nothing: the file can
// be read.
template <class Look>
std::optional<damage> read_blocks(const std::string& path, Look look) {
  std::ifstream file{path, std::ios::binary};
  if (!file) return damage{0, std::string{"it cannot be read: "} + std::strerror(errno)};
  std::string block(checksum_block, '\0');
  std::uint64_t at = 0;
  while (file) {
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    const auto length = static_cast<std::size_t>(file.gcount());
    if (file.bad()) return damage{at, std::string{"it cannot be read: "} + std::strerror(errno)};
    if (length > 0 && !look(std::string_view{block}.substr(0, length))) break;
    at += length;
  }
  return std::nullopt;
}

// The length of the file when its checksums were written, as far as they can be read.
std::uint64_t length_of(const std::vector<std::optional<block_checksum>>& sums) {
  for (auto index = sums.size(); index > 0; --index) {
    if (const auto& last = sums[index - 1]) return (index - 1) * checksum_block + last->length;
  }
  return 0;
}

// Checks the commands, and the known checksums of their bytes.
report examine_commands(const std::string& path,
                        const std::vector<std::optional<block_checksum>>& sums) {
  append_only_parser parser;
  report found;
  std::size_t index = 0;
  const auto look = [&](std::string_view block) {
    const auto at = found.size;
    found.size += block.size();
    parser.feed(block);
    if (parser.damaged()) return false;
    const auto& sum = index < sums.size() ? sums[index] : std::nullopt;
    ++index;
    if (!sum || sum->length > block.size()) return true;  // a file that is too short: see below
    if (crc_of(block.substr(0, sum->length)) == sum->crc) return true;
    found.damaged = damage{at, "among the " + std::to_string(sum->length) +
                                   " bytes from there on are others than were written"};
    return false;
  };
  if (auto unreadable = read_blocks(path, look)) found.damaged = unreadable;
  parser.finish();
  if (!found.damaged) found.damaged = parser.damaged();
  found.whole = parser.whole();
  const auto written = length_of(sums);
  if (!found.damaged && found.size < written) {
    found.damaged = damage{found.size, std::to_string(written - found.size) +
                                           " bytes that had been written behind it are missing"};
  }
  return found;
}

report examine_snapshot(const std::string& path) {
  report found;
  snapshot_crc crc;
  std::string end;  // the last eight bytes so far: the checksum
  const auto look = [&](std::string_view block) {
    found.size += block.size();
    end.append(block);
    if (end.size() > 8) {
      crc.process_bytes(end.data(), end.size() - 8);
      end.erase(0, end.size() - 8);
    }
    return true;
  };
  found.damaged = read_blocks(path, look);
  std::uint64_t stored = 0;
  if (end.size() == sizeof stored) std::memcpy(&stored, end.data(), sizeof stored);
  if (!found.damaged && (end.size() != sizeof stored || stored != crc.checksum())) {
    found.damaged = damage{0, "its checksum says that it is not the snapshot that was written"};
  }
  return found;
}

report examine_base(const std::string& path) {
  if (path.ends_with(".rdb")) return examine_snapshot(path);
  return examine_commands(path, {});
}

append_only_damage named(const std::string& path, const damage& found) {
  return {path, found.offset, found.what};
}

// Increments that the manifest does not name. A server creates a file before the manifest names it,
// and the file is empty until then.
std::optional<append_only_damage> find_unnamed(const std::string& directory, std::int64_t last) {
  std::error_code ec;
  for (const auto& each : fs::directory_iterator{append_only_directory(directory), ec}) {
    const auto sequence = sequence_of_increment(each.path().filename().string());
    if (!sequence || *sequence <= last || each.file_size(ec) == 0) continue;
    return append_only_damage{
        manifest_path(directory), 0,
        "it does not name " + each.path().filename().string() + ", which is there and not empty"};
  }
  return std::nullopt;
}

// A base, although the manifest names none. A server names its first base in the same write as the
// first increment.
std::optional<append_only_damage> find_unnamed_base(const std::string& directory) {
  std::error_code ec;
  for (const auto& each : fs::directory_iterator{append_only_directory(directory), ec}) {
    const auto name = each.path().filename().string();
    if (!name.ends_with(".base.rdb") && !name.ends_with(".base.aof")) continue;
    return append_only_damage{manifest_path(directory), 0,
                              "it names no base, but " + name + " is there"};
  }
  return std::nullopt;
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::write(file, bytes.data(), bytes.size());
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

// Copies the file from `offset` on to another file, and flushes that to disk.
bool keep(const std::string& path, std::uint64_t offset, const std::string& to) {
  const file_descriptor kept{::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
  if (!kept) return false;
  std::uint64_t at = 0;
  bool fine = true;
  const auto copy = [&](std::string_view block) {
    const auto skipped = std::min<std::uint64_t>(block.size(), offset > at ? offset - at : 0);
    at += block.size();
    fine = write_all(kept.get(), block.substr(skipped));
    return fine;
  };
  return !read_blocks(path, copy) && fine && ::fsync(kept.get()) == 0;
}

// Writes the checksums of the first `length` bytes in their current state.
void write_checksums(const std::string& directory, const std::string& name, std::uint64_t length) {
  block_checksum_writer sums{checksums_path(directory, name)};
  const auto add = [&](std::string_view block) {
    sums.add(block.substr(0, length - sums.position()));
    return sums.position() < length;
  };
  read_blocks(append_only_directory(directory) + name, add);
  sums.write();
}

mended cut(const std::string& directory, const std::string& name, const report& found) {
  const auto path = append_only_directory(directory) + name;
  append_only_cut done{path, path + ".cut-" + std::to_string(found.whole), found.whole,
                       found.size - found.whole};
  const auto fail = [&](const std::string& what) {
    return append_only_damage{path, found.whole, what + ": " + std::strerror(errno)};
  };
  if (!keep(path, found.whole, done.kept_in)) {
    return fail("its end is incomplete, and cannot be kept as " + done.kept_in);
  }
  write_checksums(directory, name, found.whole);  // first: must not include bytes that are cut off
  const file_descriptor file{::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
  const bool shorter = file && ::ftruncate(file.get(), static_cast<off_t>(found.whole)) == 0;
  if (!shorter || ::fsync(file.get()) != 0) return fail("its incomplete end cannot be cut off");
  return done;
}

mended mend_files(const std::string& directory, const append_only_manifest& manifest) {
  const auto files = append_only_directory(directory);
  if (manifest.base) {
    const auto found = examine_base(files + *manifest.base);
    if (found.damaged) return named(files + *manifest.base, *found.damaged);
    if (manifest.base->ends_with(".aof") && found.whole < found.size) {
      return named(files + *manifest.base, damage{found.whole, "a command without its end"});
    }
  }
  if (!manifest.base) {
    if (auto unnamed = find_unnamed_base(directory)) return *unnamed;
  }
  report found;
  for (const auto& name : manifest.increments) {
    found = examine_commands(files + name, read_block_checksums(checksums_path(directory, name)));
    if (found.damaged) return named(files + name, *found.damaged);
    const bool incomplete = found.whole < found.size;
    if (incomplete && name != manifest.increments.back()) {
      return named(files + name,
                   damage{found.whole, "a command without its end, and other files follow"});
    }
  }
  const auto last = *sequence_of_increment(manifest.increments.back());
  if (auto unnamed = find_unnamed(directory, last)) return *unnamed;
  if (found.whole < found.size) return cut(directory, manifest.increments.back(), found);
  return nothing_to_mend{};
}

}  // namespace

std::string append_only_directory(const std::string& directory) {
  return directory + "/appendonlydir/";
}

std::string manifest_path(const std::string& directory) {
  return append_only_directory(directory) + "appendonly.aof.manifest";
}

std::string checksums_path(const std::string& directory, const std::string& name) {
  return directory + "/checksums/" + name;
}

std::string to_string(const append_only_damage& damage) {
  return damage.file + " is damaged at offset " + std::to_string(damage.offset) + ": " +
         damage.what +
         ". Nothing was changed. Restore the directory from a backup. Or copy it, let "
         "redis-check-aof "
         "show what is wrong with the file (--fix cuts off all that follows), and delete its file "
         "in "
         "`checksums`; what was cut off is then forgotten";
}

mended mend_append_only_file(const std::string& directory) {
  std::ifstream file{manifest_path(directory), std::ios::binary};
  if (!file) {
    if (auto unnamed = find_unnamed(directory, 0)) {
      unnamed->what = "it is missing or cannot be read, and there are files that it must name";
      return *unnamed;
    }
    return nothing_to_mend{};
  }
  std::ostringstream text;
  text << file.rdbuf();
  const auto manifest = read_manifest(text.str());
  if (const auto* wrong = std::get_if<manifest_error>(&manifest)) {
    return append_only_damage{manifest_path(directory), wrong->offset, wrong->what};
  }
  return mend_files(directory, std::get<append_only_manifest>(manifest));
}

}  // namespace tollgate::quota::redis
