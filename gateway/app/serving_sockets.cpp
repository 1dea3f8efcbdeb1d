#include "gateway/app/serving_sockets.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace sallyport::app {

namespace {

using Held = std::vector<supervise::HeldSocket>;
using Bound = std::vector<uv::BoundSocket>;

SocketProblem system_problem(std::string message) { return {SocketProblem::Kind::system, std::move(message)}; }

// Takes those of the address out of `held`.
Held take_out(Held& held, const std::string& address) {
  Held taken;
  Held others;
  for (supervise::HeldSocket& one : held) (one.address == address ? taken : others).push_back(std::move(one));
  held = std::move(others);
  return taken;
}

Result<Bound, SocketProblem> adopt(Held taken, std::size_t workers, Serving serving) {
  Bound bound;
  // A socket of systemd's, or a unix-domain socket, is shared by all loops, each of which watches it by a descriptor of
  // its own. So are those of another process's: clients would wait at a further one of this process, in vain if it does
  // not become ready.
  const bool is_shared = taken.front().is_from_systemd || taken.front().address.starts_with("unix:") ||
                         serving == Serving::another_process;
  const std::size_t one_each = is_shared ? workers : taken.size();
  const std::size_t had = taken.size();
  for (std::size_t i = had; i < one_each; ++i) {
    const supervise::HeldSocket& shared = taken[i % had];
    Descriptor copy(::fcntl(shared.socket.get(), F_DUPFD_CLOEXEC, 3));
    if (!copy) return system_problem(std::string("cannot share ") + shared.address + ": " + std::strerror(errno));
    taken.push_back({shared.address, std::move(copy), shared.is_from_systemd});
  }
  for (supervise::HeldSocket& one : taken) {
    const auto keeper = one.is_from_systemd ? uv::Keeper::service_manager : uv::Keeper::nobody_else;
    auto adopted = uv::adopt_listener(std::move(one.socket), keeper);
    if (!adopted) return system_problem(one.address + ": " + adopted.error().message);
    bound.push_back(std::move(*adopted));
  }
  return bound;
}

std::string systemd_mismatch(const Held& unnamed, const std::vector<config::ListenSettings>& listeners) {
  std::string message = "systemd hands over a socket for ";
  for (std::size_t i = 0; i < unnamed.size(); ++i) message += (i == 0 ? "" : ", ") + unnamed[i].address;
  message += ", which no [[listen]] names; the configuration has ";
  for (std::size_t i = 0; i < listeners.size(); ++i) message += (i == 0 ? "" : ", ") + listeners[i].address.to_string();
  return message + ". Write the same address in ListenStream= of the socket unit and in `address`";
}

}  // namespace

Result<Bound, uv::BindFailure> bind_sockets(const config::ListenSettings& listen, std::size_t workers) {
  if (!listen.address.is_unix()) return uv::bind_listeners(listen.address.address(), workers);
  return uv::bind_unix_listeners(listen.address.path(), {listen.socket_mode.bits, listen.socket_group}, workers);
}

void keep(const Endpoint& address, const std::vector<uv::BoundSocket>& sockets, const supervise::Link& link) {
  for (const uv::BoundSocket& socket : sockets) {
    link.hold(address.to_string(), socket.descriptor());
    if (address.is_unix()) break;
  }
}

Result<std::vector<std::vector<NewSocket>>, SocketProblem> open_sockets(
    const std::vector<config::ListenSettings>& listeners, std::size_t workers, Held held, const supervise::Link& link,
    Serving serving) {
  std::vector<std::vector<NewSocket>> sockets(workers);
  for (const config::ListenSettings& listen : listeners) {
    Held taken = take_out(held, listen.address.to_string());
    Bound bound;
    if (taken.empty()) {
      auto made = bind_sockets(listen, workers);
      if (!made) return system_problem(made.error().message);
      bound = std::move(*made);
      keep(listen.address, bound, link);
    } else {
      auto adopted = adopt(std::move(taken), workers, serving);
      if (!adopted) return std::move(adopted).error();
      bound = std::move(*adopted);
      // Of a configuration with more workers than before.
      while (bound.size() < workers) {
        auto next = uv::bind_listener(bound.front().address());
        if (!next) return system_problem(next.error().message);
        link.hold(listen.address.to_string(), next->descriptor());
        bound.push_back(std::move(*next));
      }
    }
    for (std::size_t i = 0; i < bound.size(); ++i) {
      sockets[i % workers].push_back({listen.address, std::move(bound[i])});
    }
  }
  Held unnamed;
  for (supervise::HeldSocket& one : held) {
    if (!one.is_from_systemd) link.release(one.address);
    if (one.is_from_systemd) unnamed.push_back(std::move(one));
  }
  if (!unnamed.empty()) return SocketProblem{SocketProblem::Kind::configuration, systemd_mismatch(unnamed, listeners)};
  return sockets;
}

}  // namespace sallyport::app
