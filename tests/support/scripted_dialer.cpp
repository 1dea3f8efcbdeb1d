#include "tests/support/scripted_dialer.h"

#include <algorithm>
#include <utility>

#include "gateway/async/wait.h"

namespace sallyport::support {

using io::Error;

ScriptedDialer::Accept ScriptedDialer::run_script(Script script) {
  return [this, script = std::move(script)](std::unique_ptr<MemoryStream> server_end) {
    servers_.spawn(script(std::move(server_end)));
  };
}

Task<Result<std::unique_ptr<io::Stream>, Error>> ScriptedDialer::dial(SocketAddress to, Time deadline) {
  return dial(std::nullopt, to, deadline);
}

Task<Result<std::unique_ptr<io::Stream>, Error>> ScriptedDialer::dial_from(IpAddress from, SocketAddress to,
                                                                           Time deadline) {
  return dial(std::optional(from), to, deadline);
}

Task<Result<std::unique_ptr<io::Stream>, Error>> ScriptedDialer::dial(std::optional<IpAddress> from, SocketAddress to,
                                                                      Time deadline) {
  dialled_.push_back(to);
  sources_.push_back(from);
  if (latency_ > Duration::zero()) {
    co_await async::SleepUntil(scheduler_, std::min(deadline, scheduler_.now() + latency_));
    if (scheduler_.now() >= deadline) co_return Error::timed_out;
  }
  auto named = behaviours_.find(to);
  Behaviour behaviour = named != behaviours_.end() ? named->second : otherwise_;
  const auto failing = from ? failing_sources_.find(*from) : failing_sources_.end();
  if (failing != failing_sources_.end() && failing->second) behaviour.error = failing->second;
  if (behaviour.error == Error::timed_out) {
    async::Signal answer(scheduler_);  // never notified
    co_await answer.wait(deadline);
    co_return Error::timed_out;
  }
  if (behaviour.error) co_return *behaviour.error;
  auto [client_end, server_end] = memory_streams(scheduler_);
  behaviour.accept(std::move(server_end));
  co_return std::unique_ptr<io::Stream>(std::move(client_end));
}

}  // namespace sallyport::support
