#include "gateway/app/worker.h"

#include <algorithm>
#include <exception>
#include <new>

#include "gateway/app/fresh_resolver.h"
#include "gateway/app/list_fetcher.h"
#include "gateway/app/loop_watch.h"
#include "gateway/app/pressure_watch.h"
#include "gateway/async/background.h"
#include "gateway/async/interruptible.h"
#include "gateway/async/kept_frames.h"
#include "gateway/async/wait.h"
#include "gateway/base/heap.h"
#include "gateway/milter_service/mta_session.h"
#include "gateway/report/reporting.h"
#include "gateway/uv/work_pool.h"

namespace sallyport::app {

namespace {

// How long clients whose TCP handshake is under way have to complete it, when their listener goes: as long as the
// kernel knows of one, but the least in any case, as a packet that has come may not have been looked at yet.
constexpr uv::Listener::Patience retiring_time{std::chrono::milliseconds(500), std::chrono::seconds(3)};
constexpr Duration disposal_interval = std::chrono::seconds(1);
// While it drains: how often a worker looks whether its sessions have ended.
constexpr Duration draining_interval = std::chrono::milliseconds(20);
// How often it looks for sessions that nobody need wait for.
constexpr Duration looking_interval = std::chrono::milliseconds(500);
// How long the 421 of a session that is broken off may take; longer than it waits to be written.
constexpr Duration farewell_time = std::chrono::milliseconds(1500);
// How many sessions are looked at in a turn of the loop: well below 100 microseconds.
constexpr std::size_t looks_of_a_turn = 64;

const session::Listener* find_listener(const session::Snapshot& snapshot, const Endpoint& address) {
  const auto found = std::find_if(snapshot.listeners.begin(), snapshot.listeners.end(),
                                  [&](const session::Listener& other) { return other.settings.address == address; });
  return found == snapshot.listeners.end() ? nullptr : &*found;
}

// Logged once, by the loop that notices it first.
void note_lost_helper(CommonParts& common) {
  if (common.is_helper_lost.exchange(true)) return;
  common.counters.add(Fault::client_info);
  common.log->write(LogLevel::error, "fault",
                    {{"kind", name(Fault::client_info)},
                     {"detail", std::string_view("the helper process for clients' addresses has ended: upstreams with "
                                                 "client_info = \"tproxy\" get no mail of clients until the next "
                                                 "start")}});
}

std::unique_ptr<uv::TransparentSockets> transparent_sockets(uv::Loop& loop, CommonParts& common) {
  if (!common.transparent_helper) return nullptr;
  return std::make_unique<uv::TransparentSockets>(loop, common.transparent_helper->take_channel(),
                                                  [&common] { note_lost_helper(common); });
}

// On the work pool: what a snapshot holds (compiled rules, TLS contexts) may take its time to take down.
struct Disposal {
  std::vector<std::shared_ptr<const session::WorkerSnapshot>> snapshots;
  void operator()() { snapshots.clear(); }
};

}  // namespace

struct Worker::Entry : async::ListNode {
  Entry(async::Scheduler& scheduler, session::Served& started) : session(started), dialogue(scheduler, started.run()) {}
  session::Served& session;
  async::Interruptible dialogue;
  std::uint64_t last_walk = 0;  // of those through all sessions, the one that has looked at this one
};

struct Worker::OpenListener {
  Endpoint address;  // as the configuration has it
  // Once it is retired: the last snapshot that names the address.
  std::shared_ptr<const session::WorkerSnapshot> last;
  std::unique_ptr<uv::Listener> listener;
};

Worker::Worker(CommonParts& common, Orders orders, Probing probing)
    : common_(common),
      loop_(common.work_pool.get()),
      dialer_(loop_, transparent_sockets(loop_, common)),
      web_trust_(loop_),
      http_(loop_.scheduler(), dialer_, [this](std::string ca_file) { return web_trust_.context(std::move(ca_file)); }),
      milters_(loop_.scheduler(), dialer_, *common.log),
      datagrams_(loop_),
      clock_(*common.clock_watch),
      resolver_(loop_.scheduler(), datagrams_, dialer_, common.dns_cache, common.at_start->dns, common.counters,
                *common.log),
      pool_(loop_.scheduler(), dialer_, common.counters, *common.log, orders.snapshot->shared->upstreams),
      log_lines_(*common.log, common.counters),
      record_counters_(common.counters, &common.timings, &common.tenants),
      host_{loop_.scheduler(),
            clock_,
            resolver_,
            *common.log,
            common.counters,
            *common.spool,
            common.slots,
            common.pressure,
            pool_,
            IdSource(random_seed()),
            std::move(orders.snapshot),
            {&log_lines_, &record_counters_},
            &common.timings},
      probes_(probing == Probing::yes),
      number_(common.watched_loops++),
      reloaded_(loop_.scheduler()),
      ending_(loop_.scheduler()),
      one_walk_at_a_time_(loop_.scheduler()),
      nursery_(loop_.scheduler()),
      housekeeping_(loop_.scheduler()) {
  resolver_.measure_with(common.timings);
  loop_.measure_lag(common.loop_lags.emplace_back(std::to_string(number_ + 1)).times);
  if (common.dmarc_reports) {
    dmarc_rows_.emplace(*common.dmarc_reports, common.counters, [&common](std::string_view tenant) {
      return report::is_reported(*common.at_start, tenant);  // which restart settings decide
    });
    host_.sinks.push_back(&*dmarc_rows_);
  }
  for (NewSocket& socket : orders.sockets) listeners_.push_back(open_listener(std::move(socket)));
}

// Sessions that are left make their records as they are destroyed; there are some only after end_now().
Worker::~Worker() {
  count_cut_mails();
  nursery_.cancel();
}

std::unique_ptr<Worker::OpenListener> Worker::open_listener(NewSocket socket) {
  auto served = std::make_unique<OpenListener>();
  served->address = socket.address;
  served->listener = std::make_unique<uv::Listener>(
      loop_, std::move(socket.socket),
      [this, &opened = *served](std::unique_ptr<io::Stream> stream, SocketAddress peer, SocketAddress local) {
        accept(opened, std::move(stream), peer, local);
      },
      [this] { return !common_.file_room || common_.file_room->has_room_for_a_session(); });
  return served;
}

void Worker::accept(const OpenListener& served, std::unique_ptr<io::Stream> stream, SocketAddress peer,
                    SocketAddress local) {
  std::shared_ptr<const session::WorkerSnapshot> snapshot = served.last ? served.last : host_.snapshot;
  const session::Listener* listener = find_listener(*snapshot->shared, served.address);
  ensure(listener != nullptr, "Worker: a listener that no snapshot names");
  const bool is_mta = listener->settings.protocol == config::ListenProtocol::milter;
  nursery_.spawn(is_mta ? serve_mta(std::move(stream), peer, std::move(snapshot), *listener)
                        : serve_client(std::move(stream), peer, local, std::move(snapshot), *listener));
}

void Worker::share_upstream_places() {
  pool_.share_places_with(common_.registry.neighbours(),
                          [this](std::function<void()> function) { loop_.post(std::move(function)); });
}

void Worker::ask_dns_with_others() {
  resolver_.ask_with_others(common_.shared_queries,
                            [this](std::function<void()> then) { loop_.post(std::move(then)); });
}

Task<void> Worker::serve_client(std::unique_ptr<io::Stream> stream, SocketAddress peer, SocketAddress local,
                                std::shared_ptr<const session::WorkerSnapshot> snapshot,
                                const session::Listener& listener) {
  session::Session session(host_, std::move(snapshot), listener, std::move(stream), peer, local);
  co_await see_through(session);
}

Task<void> Worker::serve_mta(std::unique_ptr<io::Stream> stream, SocketAddress peer,
                             std::shared_ptr<const session::WorkerSnapshot> snapshot,
                             const session::Listener& listener) {
  milter_service::MtaSession session(host_, std::move(snapshot), listener, std::move(stream), peer,
                                     common_.missing_actions);
  co_await see_through(session);
}

Task<void> Worker::see_through(session::Served& session) {
  Entry entry(loop_.scheduler(), session);
  sessions_.push_back(entry);
  if (draining_) session.request_stop();  // it had waited to be accepted
  const bool has_ended = co_await entry.dialogue;
  if (has_ended) co_return;
  if (draining_ && session.has_mail_to_cut()) ++common_.cut_mails;
  co_await session.break_off();
}

void Worker::begin() {
  if (probes_) housekeeping_.spawn(pool_.probe_for_ever());
  if (probes_) {
    housekeeping_.spawn(fetch_lists_for_ever(loop_, common_.list_files.urls(), http_, resolver_, *common_.log));
  }
  if (common_.board) housekeeping_.spawn(note_turns(loop_.scheduler(), *common_.board, number_));
  housekeeping_.spawn(test_policies());
  if (probes_) housekeeping_.spawn(watch_pressure());
  housekeeping_.spawn(free_idle_places());
  housekeeping_.spawn(keep_less());
  housekeeping_.spawn(wind_down());
}

void Worker::run() noexcept {
  while (true) {
    try {
      loop_.run();
      break;
    } catch (const std::exception& error) {
      // Of a posted function, for want of memory. The sessions have nothing to do with it, and go on.
      note_internal_fault(common_, error.what());
    }
  }
  if (common_.board) common_.board->forget(number_);
}

// Lists that lie are found out by their test points (threats.md D9). What is learned of them is shared by all workers:
// a list that another worker or gatherer has tested just now is not tested again. One that does not pass is tested
// again every few seconds: a resolver may have answered in its place, and does so no more (R9). A test that ends with
// an exception (out of memory) is recorded, and made again soon.
Task<void> Worker::test_policies() {
  constexpr Duration interval = std::chrono::minutes(5);
  constexpr Duration after_mistake = std::chrono::minutes(1);
  static const std::vector<signature::BodyHash> no_hashes;
  FreshResolver fresh(resolver_, common_.dns_cache);
  while (true) {
    const std::shared_ptr<const session::WorkerSnapshot> snapshot = host_.snapshot;
    Time next = loop_.scheduler().now() + interval;
    for (const auto& gatherer : snapshot->plans->gatherers()) {
      const Time deadline = loop_.scheduler().now() + snapshot->shared->settings->timeouts.policy;
      policies::GatherContext context{loop_.scheduler(), fresh, common_.counters, *common_.log, deadline, no_hashes};
      try {
        co_await gatherer->self_test(context);
      } catch (const std::exception& error) {
        note_internal_fault(common_, error.what());
        next = std::min(next, loop_.scheduler().now() + after_mistake);
      }
    }
    if (const std::optional<Time> retest = common_.lists.next_retest())
      next = std::min(next, std::max(*retest, loop_.scheduler().now() + policies::ListHealth::between_retests));
    co_await reloaded_.wait(next);
  }
}

// One worker does this for all. The system's limits change seldom, and take a few files to read.
Task<void> Worker::watch_pressure() {
  constexpr Duration limits_interval = std::chrono::seconds(5);
  PressureWatch watch(common_.pressure, common_.counters, *common_.log, memory_in_use());
  std::vector<ProcessMemory::Limit> limits;
  Time next_limits = Time::min();
  while (true) {
    try {
      const Time now = loop_.scheduler().now();
      if (now >= next_limits) {
        limits = system_memory_limits();
        next_limits = now + limits_interval;
      }
      watch.look(limits, settings().limits.memory, memory_in_use(), now);
      if (watch.wants_trim(now)) watch.trim_took(co_await uv::on_worker(loop_, trim_heap));
    } catch (const std::bad_alloc&) {
      // The next look tries again.
    }
    co_await async::sleep_for(loop_.scheduler(), PressureWatch::interval);
  }
}

Task<void> Worker::free_idle_places() {
  while (true) {
    co_await async::sleep_for(loop_.scheduler(), looking_interval);
    const bool is_scarce = common_.pressure.is_recent() || common_.pressure.level() != io::Pressure::Level::none;
    if (is_scarce) interrupt_sessions(Which::those_that_give_way);
  }
}

Task<void> Worker::keep_less() {
  while (true) {
    co_await async::sleep_for(loop_.scheduler(), PressureWatch::least_trim_interval);
    loop_.blocks().free_half();
    async::free_half_of_kept_frames();
  }
}

void Worker::take(Orders orders, std::shared_ptr<Failures> failures) {
  auto shared = std::make_shared<Orders>(std::move(orders));  // a posted function is copied, a socket is not
  post_orders([shared = std::move(shared)] { return std::move(*shared); }, std::move(failures));
}

void Worker::take_upstreams(std::shared_ptr<const session::Snapshot> next, std::shared_ptr<Failures> failures) {
  const auto orders = [this, next = std::move(next)] {
    const session::WorkerSnapshot snapshot{next, host_.snapshot->plans};
    return Orders{std::make_shared<const session::WorkerSnapshot>(snapshot), {}};
  };
  post_orders(orders, std::move(failures));
}

void Worker::post_orders(std::function<Orders()> orders, std::shared_ptr<Failures> failures) {
  loop_.post([this, orders = std::move(orders), failures = std::move(failures)] {
    try {
      carry_out(orders(), failures);
    } catch (const std::exception& error) {
      ++*failures;
      note_internal_fault(common_, error.what());
    }
  });
}

// What may fail comes first.
void Worker::carry_out(Orders orders, const std::shared_ptr<void>& held) {
  const session::Snapshot& next = *orders.snapshot->shared;
  std::vector<std::unique_ptr<OpenListener>> listeners;
  listeners.reserve(listeners_.size() + orders.sockets.size());
  if (!draining_) {
    for (NewSocket& socket : orders.sockets) listeners.push_back(open_listener(std::move(socket)));
  }
  old_snapshots_.push_back(host_.snapshot);
  pool_.adopt(next.upstreams);
  web_trust_.forget();
  const auto previous = std::exchange(host_.snapshot, std::move(orders.snapshot));

  for (std::unique_ptr<OpenListener>& served : listeners_) {
    if (find_listener(next, served->address) != nullptr) {
      listeners.push_back(std::move(served));
    } else {
      served->last = previous;
      close_listener(std::move(served), retiring_time, held);
    }
  }
  listeners_ = std::move(listeners);
  reloaded_.notify();
  if (!disposing_) housekeeping_.spawn(dispose_of_old());
}

void Worker::close_listener(std::unique_ptr<OpenListener> served, uv::Listener::Patience patience,
                            std::shared_ptr<void> held) noexcept {
  try {
    housekeeping_.spawn(retire(std::move(served), patience, std::move(held)));
  } catch (const std::bad_alloc&) {
    // The listener has been destroyed: it has stopped, without waiting for anybody.
  }
}

Task<void> Worker::retire(std::unique_ptr<OpenListener> served, uv::Listener::Patience patience,
                          std::shared_ptr<void>) {
  struct Retiring {
    explicit Retiring(std::size_t& listeners) : count(listeners) { ++count; }
    ~Retiring() { --count; }
    std::size_t& count;
  };
  const Retiring retiring(retiring_);
  co_await served->listener->retire(patience);
}

Task<void> Worker::dispose_of_old() {
  disposing_ = true;
  while (!old_snapshots_.empty()) {
    co_await async::sleep_for(loop_.scheduler(), disposal_interval);
    // Only this thread's sessions have copies of a worker's snapshot.
    const auto unused = std::partition(old_snapshots_.begin(), old_snapshots_.end(),
                                       [](const auto& snapshot) { return snapshot.use_count() > 1; });
    try {
      Disposal disposal{{unused, old_snapshots_.end()}};
      old_snapshots_.erase(unused, old_snapshots_.end());
      if (!disposal.snapshots.empty()) co_await uv::on_worker(loop_, std::move(disposal));
    } catch (const std::bad_alloc&) {
      // The next round has the rest, or it has been taken down here.
    }
  }
  disposing_ = false;
}

void Worker::drain() {
  loop_.post([this] { begin_draining(); });
}

void Worker::break_off() {
  loop_.post([this] { hurry_ = std::max(hurry_, Hurry::break_off); });
}

void Worker::end_now() {
  loop_.post([this] {
    hurry_ = Hurry::end_now;
    interrupt_sessions(Which::all);
    loop_.stop();
  });
}

void Worker::hand_over(std::vector<std::string> gone) {
  loop_.post([this, gone = std::move(gone)] { begin_handing_over(gone); });
}

void Worker::begin_handing_over(const std::vector<std::string>& gone) {
  for (auto& served : std::exchange(listeners_, {})) {
    const bool is_gone = std::find(gone.begin(), gone.end(), served->address.to_string()) != gone.end();
    if (!is_gone) {
      served->listener->stop();  // the other process has the socket, too: who waits there is served by it
      continue;
    }
    served->last = host_.snapshot;
    close_listener(std::move(served), retiring_time, nullptr);
  }
  try {
    housekeeping_.spawn(see_sessions_off());
  } catch (const std::bad_alloc&) {
    begin_draining();
  }
}

Task<void> Worker::see_sessions_off() {
  const Time end = loop_.scheduler().now() + settings().timeouts.drain;
  while ((nursery_.size() > 0 || retiring_ > 0) && loop_.scheduler().now() < end && !draining_) {
    co_await async::sleep_for(loop_.scheduler(), draining_interval);
  }
  begin_draining();
}

void Worker::begin_draining() {
  if (std::exchange(draining_, true)) return;
  // Those who wait to be accepted hear 421 4.3.2 too; nobody is waited for.
  for (auto& served : std::exchange(listeners_, {}))
    close_listener(std::move(served), {Duration::zero(), Duration::zero()}, nullptr);
  // A session may end, and leave the list, inside request_stop().
  async::ListHead told;
  while (!sessions_.empty()) {
    auto& entry = static_cast<Entry&>(*sessions_.front());
    told.push_back(entry);
    entry.session.request_stop();
  }
  sessions_.take_all(told);
  ending_.notify();
}

// Waits from the start for begin_draining(). It is one coroutine with one frame: when the end has come, there may be no
// memory for another one, and the worker would never end.
Task<void> Worker::wind_down() {
  co_await ending_.wait();
  // Those that are not worth waiting for are interrupted meanwhile.
  const Time drained = loop_.scheduler().now() + settings().timeouts.drain;
  for (Time next_look{}; is_waiting_for_sessions(drained, Hurry::break_off);) {
    if (loop_.scheduler().now() >= next_look) {
      interrupt_sessions(Which::those_that_hold_up);
      next_look = loop_.scheduler().now() + looking_interval;
    }
    co_await async::sleep_for(loop_.scheduler(), draining_interval);
  }
  interrupt_sessions(Which::all);
  const Time farewells_said = loop_.scheduler().now() + farewell_time;
  while (is_waiting_for_sessions(farewells_said, Hurry::end_now)) {
    co_await async::sleep_for(loop_.scheduler(), draining_interval);
  }
  try {
    co_await pool_.close_idle();
  } catch (const std::bad_alloc&) {
    // Then they end without QUIT.
  }
  loop_.stop();
}

// Until none is left and nobody waits to be accepted, or the time is over, or somebody is in this hurry.
bool Worker::is_waiting_for_sessions(Time end, Hurry enough) {
  return (nursery_.size() > 0 || retiring_ > 0) && loop_.scheduler().now() < end && hurry_ < enough;
}

// Each session goes on in serve(), on a later turn.
void Worker::interrupt_sessions(Which which) {
  async::ListHead seen;
  while (!sessions_.empty()) {
    auto& entry = static_cast<Entry&>(*sessions_.front());
    seen.push_back(entry);
    const bool is_meant = which == Which::all ||
                          (which == Which::those_that_hold_up && entry.session.holds_up_for_nothing()) ||
                          (which == Which::those_that_give_way && entry.session.gives_way());
    if (is_meant) entry.dialogue.interrupt();
  }
  sessions_.take_all(seen);
}

void Worker::count_cut_mails() {
  async::ListHead seen;
  while (!sessions_.empty()) {
    auto& entry = static_cast<Entry&>(*sessions_.front());
    seen.push_back(entry);
    if (entry.session.has_mail_to_cut()) ++common_.cut_mails;
  }
  sessions_.take_all(seen);
}

void Worker::tell_sessions(control::SessionOrder order, std::size_t most, std::shared_ptr<SeenSessions> seen) {
  loop_.post([this, order, most, seen = std::move(seen)] { housekeeping_.spawn(look_at_sessions(order, most, seen)); });
}

// Sessions begin and end between the turns: each one that is looked at goes to the end of the list, so that those that
// are left are in front of it, up to one that this walk has seen. New ones are behind those, and are not looked at.
Task<void> Worker::look_at_sessions(control::SessionOrder order, std::size_t most, std::shared_ptr<SeenSessions> seen) {
  try {
    const async::Lock::Held turn = co_await one_walk_at_a_time_.take();
    const std::uint64_t walk = ++walks_;
    FirstSessions first(order, most);
    std::uint64_t open = 0;
    const auto is_left = [&] {
      return !sessions_.empty() && static_cast<Entry&>(*sessions_.front()).last_walk != walk;
    };
    while (is_left()) {
      co_await async::Background(loop_.scheduler());
      for (std::size_t i = 0; i < looks_of_a_turn && is_left(); ++i) {
        auto& entry = static_cast<Entry&>(*sessions_.front());
        entry.last_walk = walk;
        sessions_.push_back(entry);
        ++open;
        first.offer(entry.session.look());
      }
    }
    seen->add({number_ + 1, open, first.take()});
  } catch (const std::bad_alloc&) {
    // Then this worker's are missing, and the answer says so.
  }
}

}  // namespace sallyport::app
