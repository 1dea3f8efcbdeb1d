// Signals: POSIX signals as callbacks on a loop's thread.
#pragma once

#include <functional>
#include <initializer_list>
#include <vector>

namespace sallyport::uv {

class Loop;

// Calls `caught` on the loop's thread whenever one of the signals arrives, until this object is destroyed. `caught`
// should not throw; an exception is swallowed. If several loops watch one signal, libuv calls all of them.
class Signals {
 public:
  using Caught = std::function<void(int signal)>;

  // Throws NoResources.
  Signals(Loop& loop, std::initializer_list<int> signals, Caught caught);
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals();

 private:
  class Watcher;
  Caught caught_;
  std::vector<Watcher*> watchers_;
};

// For the last steps of a process, when nobody catches signals any more: another SIGTERM would break them off.
void block_signals_to_the_end() noexcept;

// Makes a write to a connection that the peer has closed an error (EPIPE) instead of the end of the process. main()
// calls it once, at start.
void ignore_sigpipe() noexcept;

}  // namespace sallyport::uv
