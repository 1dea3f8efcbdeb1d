// Worker: one thread, one loop, and every session that the kernel hands to its sockets.
//
// A loop owns its sessions from accept to close; with the other workers it shares only CommonParts. The policies, the
// Lua state and the upstream connections are its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/app/common_parts.h"
#include "gateway/async/intrusive_list.h"
#include "gateway/async/nursery.h"
#include "gateway/resolver/resolver.h"
#include "gateway/session/session.h"
#include "gateway/session/upstream_pool.h"
#include "gateway/uv/bound_socket.h"
#include "gateway/uv/clock.h"
#include "gateway/uv/datagram.h"
#include "gateway/uv/dialer.h"
#include "gateway/uv/listener.h"
#include "gateway/uv/loop.h"

namespace sallyport::app {

class Worker {
 public:
  // `sockets` are bound, one for each door, in the doors' order. The first worker also probes the upstreams and tests
  // the DNS lists, for all. `policies` are this worker's own.
  Worker(CommonParts& common, std::vector<uv::BoundSocket> sockets,
         std::vector<std::unique_ptr<policies::Policy>> policies, bool is_first);
  ~Worker();

  // Before run(), where there are several: a DNS question that another worker has under way is not asked again.
  void ask_dns_with_others();
  // The thread's whole life: serves until it has drained.
  void run();
  // From any thread: accept no more, let what is under way finish, then end run() (threats.md R12). The second time it
  // ends at once.
  void drain();

  uv::Loop& loop() { return loop_; }

 private:
  struct Entry;  // a session, in the list of those that must hear of the end
  Task<void> serve(std::unique_ptr<io::Stream> stream, SocketAddress peer, const session::Door& door);
  Task<void> wind_down();
  Task<void> test_policies();
  void begin_draining();

  CommonParts& common_;
  uv::Loop loop_;
  uv::Dialer dialer_;
  uv::DatagramDialer datagrams_;
  uv::SystemClock clock_;
  resolver::Resolver resolver_;
  session::UpstreamPool pool_;
  session::Host host_;
  bool is_first_;
  bool draining_ = false;
  async::ListHead sessions_;
  std::vector<std::unique_ptr<uv::Listener>> listeners_;
  async::Nursery nursery_;       // sessions; ends before all they use
  async::Nursery housekeeping_;  // probes, and the end itself
};

}  // namespace sallyport::app
