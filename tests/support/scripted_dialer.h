// ScriptedDialer: an io::Dialer whose servers are coroutines of the test.
//
// The test sets the behaviour of each address, and of all others: the connection is accepted and a script runs on its
// other end, or it is refused, unreachable, or never answered. An address that the test has not set refuses.
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
  // Called for every connection, with the server's end; it keeps the stream or passes it to a coroutine of the test.
  using Accept = std::function<void(std::unique_ptr<MemoryStream> server_end)>;
  // Returns the coroutine that plays the server; the dialer runs it until it ends or the dialer is destroyed. It must
  // be a lambda that calls a named coroutine, not a coroutine itself: the lambda's captures would not live long enough.
  using Script = std::function<Task<void>(std::unique_ptr<MemoryStream> server_end)>;

  explicit ScriptedDialer(async::Scheduler& scheduler) : scheduler_(scheduler), servers_(scheduler) {}

  // Each may be called again for an address; the new behaviour holds from the next dial() on.
  void accept(SocketAddress at, Accept accept) { behaviours_[at] = Behaviour{std::move(accept), {}}; }
  void serve(SocketAddress at, Script script) { accept(at, run_script(std::move(script))); }
  // Every dial() gives this error. With Error::timed_out nothing answers until the caller's deadline.
  void fail(SocketAddress at, io::Error error) { behaviours_[at] = Behaviour{{}, error}; }
  void accept_all(Accept accept) { otherwise_ = Behaviour{std::move(accept), {}}; }
  void serve_all(Script script) { accept_all(run_script(std::move(script))); }
  void fail_all(io::Error error) { otherwise_ = Behaviour{{}, error}; }
  // Sets how long each connect takes.
  void set_latency(Duration latency) { latency_ = latency; }

  // Every dial_from() this address gives this error, and with nothing none any more.
  void fail_from(IpAddress from, std::optional<io::Error> error) { failing_sources_[from] = error; }

  Task<Result<std::unique_ptr<io::Stream>, io::Error>> dial(SocketAddress to, Time deadline) override;
  Task<Result<std::unique_ptr<io::Stream>, io::Error>> dial_from(IpAddress from, SocketAddress to,
                                                                 Time deadline) override;

  // Every address that was dialled, in order, with or without success.
  const std::vector<SocketAddress>& dialled() const { return dialled_; }
  // Where each of these was dialled from; nothing: our own address.
  const std::vector<std::optional<IpAddress>>& sources() const { return sources_; }
  // The number of scripts that have not ended.
  std::size_t scripts_running() const { return servers_.size(); }

 private:
  struct Behaviour {
    Accept accept;
    std::optional<io::Error> error = io::Error::refused;
  };
  Accept run_script(Script script);
  Task<Result<std::unique_ptr<io::Stream>, io::Error>> dial(std::optional<IpAddress> from, SocketAddress to,
                                                            Time deadline);

  async::Scheduler& scheduler_;
  std::map<SocketAddress, Behaviour> behaviours_;
  Behaviour otherwise_;
  Duration latency_{};
  std::vector<SocketAddress> dialled_;
  std::vector<std::optional<IpAddress>> sources_;
  std::map<IpAddress, std::optional<io::Error>> failing_sources_;
  async::Nursery servers_;
};

}  // namespace sallyport::support
