// The archive in files, for use without a database: one CloudEvent per line, in DIR.
//
//   current.jsonl          being written
//   ledger-00000001.jsonl  complete, never changed again
//   positions              the owner, the positions reached, and the length of current.jsonl then
//
// Content of current.jsonl beyond that length was not added, and is truncated when the archive is
// opened. So every line is in the files exactly once, whatever crashes. One process at a time has
// the lock.
#pragma once

#include <chrono>
#include <map>
#include <string>

#include "proxy/archive/archive.hpp"
#include "quota/file_lock.hpp"

namespace tollgate::proxy::archive {

class file_archive final : public archive {
 public:
  // Throws std::runtime_error if the directory cannot be created or written.
  file_archive(std::string directory, std::uint64_t rotate_bytes,
               std::chrono::milliseconds rotate_every);

  bool lead() override;
  void leave() override { give_up(); }
  std::string store() override { return lock_ ? store_ : std::string{}; }
  void belong_to(const std::string& store) override;
  position position_of(const quota::org_id& org) override;
  bool add(const std::vector<batch>& batches) override;
  bool can_be_read() const override { return false; }

 private:
  void recover();
  void read_positions();
  void open_current();
  void rotate_if_due(quota::time_point now);
  void keep_positions();
  void give_up();  // also after a failure: the next call recovers
  std::string path_of(const std::string& name) const { return directory_ + '/' + name; }

  const std::string directory_;
  const std::uint64_t rotate_bytes_;
  const std::chrono::milliseconds rotate_every_;
  std::optional<quota::file_descriptor> lock_;
  quota::file_descriptor current_;
  std::string store_;  // the owner; empty: none yet
  std::map<quota::org_id, position> positions_;
  std::uint64_t number_ = 1;  // of the current file, once it is complete
  std::uint64_t length_ = 0;
  quota::time_point begun_{};  // when the current file got its first line
};

}  // namespace tollgate::proxy::archive
