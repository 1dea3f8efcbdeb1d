// Starting a serving process, and how one has ended.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "gateway/base/descriptor.h"
#include "gateway/base/result.h"
#include "gateway/base/units.h"
#include "gateway/supervise/board.h"
#include "gateway/supervise/inheritance.h"

namespace sallyport::supervise {

struct Child {
  pid_t pid = 0;
  Descriptor link;
  std::optional<Board> board;  // nothing: the system gives no memory for it (ulimit -f), so no loop is watched
};

// What is only referred to belongs to the caller.
struct Start {
  const std::vector<std::string>& arguments;  // after the program's name
  const std::vector<HeldSocket>& sockets;
  const Descriptor& state_lock;  // may be missing
  const Descriptor& program;     // the program's file; missing: that of this process
  std::string last_end;
  bool is_successor = false;
};

// Forks, and executes the program anew, so that each serving process has an address space of its own layout. It has the
// arguments, the sockets, and this process's environment without what is meant for this process alone; all signals are
// as at the start of a program, but SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2 are ignored there. Where the program
// cannot be executed, the child says so over the link (Word::why), and ends with 75.
Result<Child, int> start_child(const Start& start);

// Forks, and executes the program with these arguments: a process that has nothing from this one but its environment
// (without what is meant for this process alone), its output and its parent. It gets SIGTERM when this process ends,
// and all signals are as at the start of a program.
// -1: it could not be started, and errno says why.
pid_t start_companion(const std::vector<std::string>& arguments, const Descriptor& program);

// A status of waitpid(2) in words: "exit status 78", "signal 9 (Killed)".
std::string describe_end(int status);

}  // namespace sallyport::supervise
