// Succession: how this process has another one take its place (`sallyport upgrade`), as the process that serves sees
// it.
//
// The supervisor starts the other process, which begins with the same sockets and says when it is ready
// (gateway/supervise/supervising.h). Until then this one serves as ever; if the other one fails, the one who asked
// hears why. When it has the place, this process accepts nobody more, and ends with its last session.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/app/reload.h"
#include "gateway/async/task.h"
#include "gateway/supervise/link.h"
#include "gateway/uv/loop.h"

namespace sallyport::app {

class Succession {
 public:
  // All of them outlive it. Its members are called on `loop` only.
  Succession(const supervise::Link& link, Reloader& reloader, uv::Loop& loop)
      : link_(link), reloader_(reloader), loop_(loop) {}

  // Asks for it, and waits for what comes of it: the line that answers. No reload goes on meanwhile, and one that has
  // waited is left to the successor.
  Task<std::string> upgrade();
  // The other process has the place now: the addresses of this one that it does not serve.
  const std::vector<std::string>& gone_addresses();

 private:
  void hear();

  const supervise::Link& link_;
  Reloader& reloader_;
  uv::Loop& loop_;
  std::string why_;
  std::optional<std::string> answer_;
  std::vector<std::string> gone_;
};

}  // namespace sallyport::app
