// Reads an append-only file of Redis, in slices of any size, and stores none of it. Finds where the
// file is complete, and where it contains something that no server has written.
//
// The changes of a script are one transaction in the file, MULTI ... EXEC. A server that is killed
// while it writes leaves an incomplete last command or transaction; anything else that is
// incomplete is damage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::quota::redis {

class append_only_parser {
 public:
  struct damage {
    std::uint64_t offset;
    std::string what;
  };

  // The next bytes of the file. Bytes after the first damage are ignored.
  void feed(std::string_view bytes);
  // The file ends here.
  void finish();

  std::uint64_t position() const { return position_; }  // the number of bytes fed
  // The longest prefix in which every command and every transaction is complete. After finish(), if
  // there is no damage, the rest is what a killed server leaves.
  std::uint64_t whole() const { return whole_; }
  const std::optional<damage>& damaged() const { return damage_; }

 private:
  enum class place : std::uint8_t {
    between,     // before a command
    annotation,  // "#TS:1700000000\r\n"
    count,       // number of a command's arguments: "3\r\n" of "*3\r\n"
    dollar,      // "$" of an argument
    length,      // of an argument: "5\r\n" of "$5\r\n"
    argument,
    argument_cr,
    argument_lf,
  };

  void take(char c);
  void take_number(char c, std::int64_t least, std::int64_t most);
  void begin_argument();
  void end_argument();
  void end_command();
  void look_for_command(std::string_view argument);
  void fail(std::uint64_t offset, std::string what);

  place place_ = place::between;
  std::uint64_t position_ = 0, whole_ = 0, command_at_ = 0;
  std::string digits_, name_;
  bool line_ending_ = false;  // CR has been read, LF has not
  std::int64_t arguments_left_ = 0, argument_count_ = 0, bytes_left_ = 0;
  int pattern_ = 0;         // how much of "\r\n*1\r\n$" the argument's last bytes match
  bool swallowed_ = false;  // all of it matched: another command begins in this argument
  bool in_transaction_ = false;
  std::optional<damage> damage_;
};

}  // namespace tollgate::quota::redis
