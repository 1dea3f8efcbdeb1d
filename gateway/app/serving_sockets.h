// The listening sockets that a serving process begins with: those that its supervisor has kept, or has from systemd,
// and for addresses that have none yet, new ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gateway/app/worker.h"
#include "gateway/base/result.h"
#include "gateway/config/gateway_settings.h"
#include "gateway/supervise/inheritance.h"
#include "gateway/supervise/link.h"

namespace sallyport::app {

struct SocketProblem {
  enum class Kind : std::uint8_t { system, configuration };
  Kind kind = Kind::system;
  std::string message;
};

// Who accepts at the sockets that are held, as long as this process starts.
enum class Serving : std::uint8_t { nobody, another_process };

// For each worker its sockets, one or more for each listener. What is new is given to the supervisor to keep, and what
// no listener names is given up; of systemd's that is an error, as clients would wait there in vain. Called before
// privileges are dropped.
Result<std::vector<std::vector<NewSocket>>, SocketProblem> open_sockets(
    const std::vector<config::ListenSettings>& listeners, std::size_t workers, std::vector<supervise::HeldSocket> held,
    const supervise::Link& link, Serving serving);

// New sockets for a listener, one for each worker.
Result<std::vector<uv::BoundSocket>, uv::BindFailure> bind_sockets(const config::ListenSettings& listen,
                                                                   std::size_t workers);

// Has the supervisor keep the sockets of a listener, each of them once. Those of a unix-domain socket are one.
void keep(const Endpoint& address, const std::vector<uv::BoundSocket>& sockets, const supervise::Link& link);

}  // namespace sallyport::app
