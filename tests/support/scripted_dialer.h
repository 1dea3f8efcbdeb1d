// ScriptedDialer: an io::Dialer whose servers are coroutines of the test.
//
// What happens is set per address (or for all that are not named): the connection is accepted and a script talks on its
// other end, or it is refused, unreachable, or never answered. Without a word from the test every address refuses.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "gateway/async/nursery.h"
#include "gateway/async/scheduler.h"
#include "gateway/async/task.h"
#include "gateway/base/address.h"
#include "gateway/io/dialer.h"
#include "tests/support/memory_stream.h"

namespace sallyport::support {

class ScriptedDialer final : public io::Dialer {
 public:
  // Called for every connection with its server's end. It may keep it, or give it to a coroutine of the test's own.
  using Accept = std::function<void(std::unique_ptr<MemoryStream> server_end)>;
  // Gives the coroutine that talks on the server's end; the dialer runs it until it ends, or until the dialer does.
  // Write a lambda that calls a named coroutine: it must not be a coroutine itself (its captures would not live long
  // enough).
  using Script = std::function<Task<void>(std::unique_ptr<MemoryStream> server_end)>;

  explicit ScriptedDialer(async::Scheduler& scheduler) : scheduler_(scheduler), servers_(scheduler) {}

  // The test may say another thing about an address at any time; it counts from the next dial() on.
  void accept(SocketAddress at, Accept accept) { behaviours_[at] = Behaviour{std::move(accept), {}}; }
  void serve(SocketAddress at, Script script) { accept(at, run_script(std::move(script))); }
  // Error::refused, Error::unreachable, ... or Error::timed_out: nobody answers, until the caller's deadline.
  void fail(SocketAddress at, io::Error error) { behaviours_[at] = Behaviour{{}, error}; }
  void accept_all(Accept accept) { otherwise_ = Behaviour{std::move(accept), {}}; }
  void serve_all(Script script) { accept_all(run_script(std::move(script))); }
  void fail_all(io::Error error) { otherwise_ = Behaviour{{}, error}; }
  // How long the handshake takes.
  void set_latency(Duration latency) { latency_ = latency; }

  Task<Result<std::unique_ptr<io::Stream>, io::Error>> dial(SocketAddress to, Time deadline) override;

  // Every address asked for, in order, successful or not.
  const std::vector<SocketAddress>& dialled() const { return dialled_; }
  // How many scripts have not ended.
  std::size_t scripts_running() const { return servers_.size(); }

 private:
  struct Behaviour {
    Accept accept;
    std::optional<io::Error> error = io::Error::refused;
  };
  Accept run_script(Script script);

  async::Scheduler& scheduler_;
  std::map<SocketAddress, Behaviour> behaviours_;
  Behaviour otherwise_;
  Duration latency_{};
  std::vector<SocketAddress> dialled_;
  async::Nursery servers_;
};

}  // namespace sallyport::support
