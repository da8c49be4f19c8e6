// A conversation is replayed, and each time another one of its steps fails: the n-th that is taken,
// of whatever kind. Steps are the reads and writes of memory pipes, the connections that are made,
// and the answers of the memory store.
#pragma once

namespace tollgate::tests {

class fault_plan {
 public:
  // Whether the step has its effect before it fails: bytes that were sent and an operation that was
  // applied, although the one who asked for it is told that it failed. A read that fails so has
  // come to the end of its input; else the connection was reset.
  enum class when { before_it_is_done, after_it_is_done };

  fault_plan() = default;  // nothing fails
  fault_plan(int step, when how) : failing_{step}, when_{how} {}

  bool fails() const { return failing_ >= 0; }
  bool next_fails() { return taken_++ == failing_; }
  bool is_done_first() const { return when_ == when::after_it_is_done; }
  int taken() const { return taken_; }  // so far

 private:
  int failing_ = -1, taken_ = 0;
  when when_ = when::before_it_is_done;
};

}  // namespace tollgate::tests
