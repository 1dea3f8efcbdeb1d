// Signals of the operating system, as callbacks on the first loop.
#pragma once

#include <functional>
#include <initializer_list>
#include <vector>

namespace sallyport::uv {

class Loop;

// Calls the function on the loop's thread whenever one of the signals comes, until it is destroyed. The function throws
// nothing. One process-wide set of watchers: signals go to whoever watches them, on whichever loop.
class Signals {
 public:
  using Caught = std::function<void(int signal)>;

  Signals(Loop& loop, std::initializer_list<int> signals, Caught caught);
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals();

 private:
  class Watcher;
  Caught caught_;
  std::vector<Watcher*> watchers_;
};

// A write to a connection that the peer has left shall be an error, not the end of the process. Called once, at start.
void ignore_sigpipe() noexcept;

}  // namespace sallyport::uv
