#include "gateway/app/worker.h"

#include <exception>
#include <new>

#include "gateway/async/wait.h"

namespace sallyport::app {

struct Worker::Entry : async::ListNode {
  explicit Entry(session::Session& started) : session(started) {}
  session::Session& session;
};

Worker::Worker(CommonParts& common, std::vector<uv::BoundSocket> sockets,
               std::vector<std::unique_ptr<policies::Policy>> policies, bool is_first)
    : common_(common),
      dialer_(loop_),
      datagrams_(loop_),
      resolver_(loop_.scheduler(), datagrams_, dialer_, common.dns_cache, common.settings->dns, common.counters,
                *common.log),
      pool_(loop_.scheduler(), dialer_, common.board, common.counters, common.upstream_tls, common.settings->hostname,
            {common.settings->timeouts.upstream_connect, common.settings->timeouts.upstream_reply}),
      host_{loop_.scheduler(),
            clock_,
            resolver_,
            *common.log,
            common.counters,
            *common.spool,
            common.slots,
            common.board,
            pool_,
            IdSource(random_seed()),
            common.settings,
            std::move(policies),
            common.dmarc_reports.get()},
      is_first_(is_first),
      nursery_(loop_.scheduler()),
      housekeeping_(loop_.scheduler()) {
  host_.sealer = common.sealer.get();
  ensure(sockets.size() == common.doors.size(), "Worker: one socket for each door");
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    const session::Door& door = common.doors[i];
    listeners_.push_back(std::make_unique<uv::Listener>(
        loop_, std::move(sockets[i]),
        [this, &door](std::unique_ptr<io::Stream> stream, SocketAddress peer, SocketAddress) {
          nursery_.spawn(serve(std::move(stream), peer, door));
        }));
  }
}

Worker::~Worker() = default;

void Worker::ask_dns_with_others() {
  resolver_.ask_with_others(common_.dns_under_way, [this](std::function<void()> then) { loop_.post(std::move(then)); });
}

Task<void> Worker::serve(std::unique_ptr<io::Stream> stream, SocketAddress peer, const session::Door& door) {
  session::Session session(host_, door, std::move(stream), peer);
  Entry entry(session);
  sessions_.push_back(entry);
  co_await session.run();
}

void Worker::run() {
  if (is_first_) housekeeping_.spawn(pool_.probe_for_ever());
  if (!host_.policies.empty()) housekeeping_.spawn(test_policies());
  loop_.run();
}

// Lists that lie are found out by their test points (threats.md D9). What is learned is each worker's own.
Task<void> Worker::test_policies() {
  constexpr Duration interval = std::chrono::minutes(5);
  while (true) {
    Time deadline = loop_.scheduler().now() + common_.settings->timeouts.policy;
    for (const auto& policy : host_.policies) {
      policies::Surroundings around{loop_.scheduler(), resolver_, common_.counters, *common_.log, deadline};
      try {
        co_await policy->self_test(around);
      } catch (const std::exception&) {
        common_.counters.add(Fault::internal);  // the next round comes all the same
      }
    }
    co_await async::sleep_for(loop_.scheduler(), interval);
  }
}

void Worker::drain() {
  loop_.post([this] { begin_draining(); });
}

void Worker::begin_draining() {
  if (draining_) {  // asked twice: at once, then
    loop_.stop();
    return;
  }
  draining_ = true;
  for (auto& listener : listeners_) listener->stop();
  // A session may end, and leave the list, inside request_stop().
  async::ListHead told;
  while (!sessions_.empty()) {
    auto& entry = static_cast<Entry&>(*sessions_.front());
    told.push_back(entry);
    entry.session.request_stop();
  }
  sessions_.take_all(told);
  try {
    housekeeping_.spawn(wind_down());
  } catch (const std::bad_alloc&) {
    loop_.stop();
  }
}

Task<void> Worker::wind_down() {
  Time end = loop_.scheduler().now() + common_.settings->timeouts.drain;
  while (nursery_.size() > 0 && loop_.scheduler().now() < end) {
    co_await async::sleep_for(loop_.scheduler(), std::chrono::milliseconds(20));
  }
  try {
    co_await pool_.close_idle();
  } catch (const std::bad_alloc&) {
    // Then they end without QUIT.
  }
  loop_.stop();
}

}  // namespace sallyport::app
