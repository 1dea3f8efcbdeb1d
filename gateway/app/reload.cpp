#include "gateway/app/reload.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <set>
#include <utility>

#include "gateway/app/all_done.h"
#include "gateway/app/reply_routes.h"
#include "gateway/app/server_notes.h"
#include "gateway/app/serving_sockets.h"
#include "gateway/app/upstream_names.h"
#include "gateway/async/wait.h"
#include "gateway/config/in_public.h"
#include "gateway/config/key_path.h"
#include "gateway/uv/work_pool.h"

namespace sallyport::app {

namespace {

using Errors = config::ConfigErrors;

// A file with a thousand errors has one in common, as a rule.
constexpr std::size_t most_logged_errors = 20;
constexpr std::size_t most_named_keys = 8;
// By then every worker has long taken its orders, unless it is at its end.
constexpr Duration hand_out_patience = std::chrono::seconds(30);

// systemd shows the unit as reloading from the first to the second of these.
void tell_systemd_reloading(const supervise::Link& link) {
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(uv::Loop::now().time_since_epoch()).count();
  link.notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now));
}
void tell_systemd_ready(const supervise::Link& link) { link.notify("READY=1"); }

// The time of a reload, however that ends.
struct Reloading {
  explicit Reloading(const supervise::Link& to) : link(to) { tell_systemd_reloading(link); }
  Reloading(const Reloading&) = delete;
  Reloading& operator=(const Reloading&) = delete;
  ~Reloading() { tell_systemd_ready(link); }
  const supervise::Link& link;
};

// What the supervising process is told of the listening sockets, made before any of it is told.
class SocketNews {
 public:
  void hold(const Endpoint& address, int socket) { held_.push_back({address, address.to_string(), socket}); }
  void release(const Endpoint& address) { released_.push_back({address, address.to_string(), -1}); }

  // What is listened on no more it lets go of first, so that the workers close the last descriptors.
  void tell(const supervise::Link& link) const noexcept {
    for (const One& one : held_) link.hold(one.name, one.socket);
    for (const One& one : released_) {
      link.release(one.name);
      // Who may not leaves it for the next start to replace.
      if (one.address.is_unix()) ::unlink(one.address.path().c_str());
    }
  }
  // Nobody accepts at some of the sockets that it holds; those who connect there would wait in vain.
  void take_back(const supervise::Link& link, const std::set<Endpoint>& addresses) const noexcept {
    for (const One& one : held_) {
      if (addresses.contains(one.address)) link.release(one.name);
    }
  }

 private:
  struct One {
    Endpoint address;
    std::string name;
    int socket;
  };
  std::vector<One> held_;
  std::vector<One> released_;
};

std::string what_to_do(const uv::BindFailure& failure) {
  switch (failure.error) {
    case EACCES:
    case EPERM:
      return "the gateway has no right to it while it runs: restart it, and it binds the address before it gives up "
             "root; or choose a port from 1024 on";
    case EADDRINUSE:
      return "another program listens there: stop that one, or choose another address";
    case EADDRNOTAVAIL:
      return "this host has no such address: give it one, or correct this";
    default:
      return "nothing has been changed";
  }
}

std::string list_of(const std::vector<std::string>& names) {
  std::string list;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i == most_named_keys) return list + " and " + std::to_string(names.size() - i) + " more";
    if (i > 0) list += ", ";
    list += names[i];
  }
  return list;
}

std::string in_words(const std::vector<std::string>& changed) {
  if (changed.empty()) return "no setting changed, the files that they name were read anew";
  return std::to_string(changed.size()) + (changed.size() == 1 ? " setting" : " settings") + " changed (" +
         list_of(changed) + ")";
}

}  // namespace

// Runs on the work pool.
struct Reloader::Regrouping {
  SnapshotBuilder& builder;
  std::shared_ptr<const session::Snapshot> snapshot;
  std::shared_ptr<const session::Snapshot> operator()() { return builder.regroup(*snapshot); }
};

// Runs on the work pool. What it refers to outlives the loop, which waits for it.
struct Reloader::Preparation {
  SnapshotBuilder& builder;
  std::set<Endpoint> bound;  // the addresses that are listened on

  Result<Prepared, Errors> operator()() {
    auto built = builder.build();
    if (!built) return std::move(built).error();
    Prepared prepared{std::move(*built), {}};
    prepared.sockets.resize(builder.workers());
    Errors errors;
    const std::vector<session::Listener>& listeners = prepared.built.snapshot->listeners;
    for (std::size_t i = 0; i < listeners.size(); ++i) {
      const Endpoint& address = listeners[i].settings.address;
      if (bound.contains(address)) continue;
      auto sockets = bind_sockets(listeners[i].settings, prepared.sockets.size());
      if (!sockets) {
        errors.push_back(
            {place_of(prepared.built.loaded, i), sockets.error().message + "; " + what_to_do(sockets.error())});
        continue;
      }
      for (std::size_t worker = 0; worker < prepared.sockets.size(); ++worker) {
        prepared.sockets[worker].push_back({address, std::move((*sockets)[worker])});
      }
    }
    if (!errors.empty()) return errors;
    return prepared;
  }

  config::Origin place_of(const config::Loaded& loaded, std::size_t listener) const {
    config::Origin at = loaded.origin_of(config::full_path("listen[].address", {listener}));
    return at.is_default() ? config::Origin{builder.config_file(), 1, 1} : at;
  }
};

Reloader::Reloader(CommonParts& common, SnapshotBuilder& builder, const std::vector<std::unique_ptr<Worker>>& workers,
                   const Built& at_start, uv::Loop& loop, io::Resolver& dns)
    : common_(common),
      builder_(builder),
      workers_(workers),
      loop_(loop),
      dns_(dns),
      one_at_a_time_(loop_.scheduler()),
      names_changed_(loop_.scheduler()),
      current_(at_start.snapshot),
      values_(config::effective_values(at_start.loaded)),
      certificates_(common.counters, *common.log) {}

Task<Reloader::Outcome> Reloader::reload() {
  const async::Lock::Held turn = co_await one_at_a_time_.take();
  if (is_superseded_) co_return control::ReloadErrors{"another process serves now"};
  if (is_stopping_) co_return control::ReloadErrors{"the gateway is shutting down"};
  co_return co_await reload_now();
}

Task<void> Reloader::reload_by_signal() {
  if (is_stopping_) common_.log->reopen();
  if (is_stopping_ || signal_waits_) co_return;
  try {
    const async::Lock::Held turn = co_await turn_of_signal();
    if (is_stopping_) {
      common_.log->reopen();
    } else {
      static_cast<void>(co_await reload_now());
    }
  } catch (const std::exception& error) {
    common_.counters.add(Fault::reload_failed);
    note_internal_fault(common_, error.what());
  }
}

Task<async::Lock::Held> Reloader::turn_of_signal() {
  struct Waiting {
    explicit Waiting(bool& of) : waits(of) { waits = true; }
    ~Waiting() { waits = false; }
    bool& waits;
  };
  const Waiting waiting(signal_waits_);
  co_return co_await one_at_a_time_.take();
}

void Reloader::supersede() {
  is_stopping_ = is_superseded_ = true;
  common_.memory.keep_no_more();
}

Task<Reloader::Outcome> Reloader::reload_now() {
  const Reloading reloading(common_.link);
  common_.log->reopen();
  Preparation preparation{builder_, {}};
  for (const session::Listener& listener : current_->listeners) {
    if (!half_served_.contains(listener.settings.address)) preparation.bound.insert(listener.settings.address);
  }
  std::optional<Outcome> outcome;
  try {
    auto prepared = co_await uv::on_worker(loop_, std::move(preparation));
    if (prepared) {
      co_await add_names(prepared->built);
      Change change = change_to(prepared->built);
      const Taken taken = co_await hand_out(*prepared);
      put_in_force(prepared->built, change);
      if (!taken.is_in_time) note_internal_fault(common_, "a worker has not taken its orders in time");
      if (!taken.is_by_all()) {
        change.reloaded.incomplete = problem_with(taken);
        static_cast<void>(refuse({{{builder_.config_file(), 0, 0}, change.reloaded.incomplete}}));  // counted, logged
      }
      outcome = std::move(change.reloaded);
    } else {
      outcome = refuse(prepared.error());
    }
  } catch (const std::exception& error) {
    outcome = refuse({{{builder_.config_file(), 0, 0}, error.what()}});
  }
  co_return std::move(*outcome);
}

// Its groups were made before the names that are new in it were looked up.
Task<void> Reloader::add_names(Built& built) {
  upstream::Names names = upstream::names_of(*built.snapshot->settings);
  if (names.empty()) co_return;
  static_cast<void>(co_await refresh_names(std::move(names), common_, dns_, loop_));
  Regrouping regrouping{builder_, built.snapshot};
  built.snapshot = co_await uv::on_worker(loop_, std::move(regrouping));
  for (auto& worker : built.for_workers)
    worker = std::make_shared<const session::WorkerSnapshot>(session::WorkerSnapshot{built.snapshot, worker->plans});
}

Task<void> Reloader::follow_names() {
  bool is_due = false;  // addresses have changed, and not all workers have them
  while (!is_stopping_) {
    bool is_short_of_memory = false;
    try {
      is_due = co_await follow_names_once(is_due);
      is_short_of_memory = is_due;
    } catch (const std::bad_alloc&) {
      common_.counters.add(Fault::internal);
      is_short_of_memory = is_due = true;
    }
    if (is_short_of_memory) co_await async::sleep_for(loop_.scheduler(), std::chrono::seconds(1));
  }
}

// Waits until names are due, unless something is due from before. True: it is to be tried again, there is no memory.
Task<bool> Reloader::follow_names_once(bool is_due) {
  if (!is_due) co_await names_changed_.wait(common_.registry.names().due(upstream::names_of(*current_->settings)));
  upstream::Names names = upstream::names_of(*current_->settings);
  const bool has_changed = co_await refresh_names(std::move(names), common_, dns_, loop_);
  if (!has_changed && !is_due) co_return false;
  const async::Lock::Held turn = co_await one_at_a_time_.take();
  if (is_stopping_) co_return false;
  co_return !co_await take_addresses();
}

Task<void> Reloader::remember_servers() {
  constexpr Duration interval = std::chrono::seconds(1);
  ServerNotes notes(*common_.store);
  while (!is_superseded_) {
    co_await async::sleep_for(loop_.scheduler(), interval);
    static_cast<void>(common_.clock_watch->is_suspect_now());  // it tells of a jump, also when no mail comes
    try {
      notes.note(current_->upstreams, std::chrono::system_clock::now());
    } catch (const std::bad_alloc&) {
      // The next round has it.
    }
  }
}

// False, and all stays as it is: there is no memory.
Task<bool> Reloader::take_addresses() {
  AllDone<Worker::Failures> all_done(loop_);
  try {
    Regrouping regrouping{builder_, current_};
    current_ = co_await uv::on_worker(loop_, std::move(regrouping));
    for (const auto& worker : workers_) worker->take_upstreams(current_, all_done.share());
  } catch (const std::bad_alloc&) {
    common_.counters.add(Fault::internal);
    co_return false;
  }
  const bool is_in_time = co_await all_done.wait(loop_.scheduler().now() + hand_out_patience);
  if (!is_in_time) note_internal_fault(common_, "a worker has not taken its orders in time");
  const bool has_failed = !is_in_time || all_done.shared() > 0;
  co_return !has_failed;
}

// Returns when every worker serves by it, and no address that is named no more is listened on. Where a part of the
// workers does not, the others do. It throws only before anybody has been told of anything.
Task<Reloader::Taken> Reloader::hand_out(Prepared& prepared) {
  AllDone<Worker::Failures> all_done(loop_);
  SocketNews news;
  std::set<Endpoint> made_now;
  for (const auto& of_worker : prepared.sockets) {
    for (const NewSocket& made : of_worker) {
      const bool is_held = !made_now.insert(made.address).second && made.address.is_unix();
      if (!is_held) news.hold(made.address, made.socket.descriptor());
    }
  }
  std::set<Endpoint> named;
  for (const session::Listener& listener : prepared.built.snapshot->listeners) named.insert(listener.settings.address);
  for (const session::Listener& listener : current_->listeners) {
    if (!named.contains(listener.settings.address)) news.release(listener.settings.address);
  }
  Task<bool> all = all_done.wait(loop_.scheduler().now() + hand_out_patience);

  news.tell(common_.link);
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    auto share = all_done.share();
    try {
      workers_[i]->take({prepared.built.for_workers[i], std::move(prepared.sockets[i])}, share);
    } catch (const std::bad_alloc&) {
      ++*share;  // as if the worker itself had no memory for it
    }
  }
  Taken taken;
  taken.is_in_time = co_await std::move(all);
  taken.failures = all_done.shared();
  half_served_.clear();
  if (taken.failures == 0) co_return taken;
  // The sockets of a worker that has not taken them are closed here, but not in the supervising process. All of their
  // addresses are let go of there; the workers that serve go on. The next reload binds them anew. A unix-domain socket
  // is one for all workers.
  const bool is_served_by_some = taken.failures < workers_.size();
  if (is_served_by_some) std::erase_if(made_now, [](const Endpoint& address) { return address.is_unix(); });
  news.take_back(common_.link, made_now);
  half_served_ = std::move(made_now);
  co_return taken;
}

std::string Reloader::problem_with(const Taken& taken) const {
  if (taken.failures == 0) {
    return "not all workers have answered in time; those that have serve by it, the others will when they come to it";
  }
  return std::to_string(taken.failures) + " of " + std::to_string(workers_.size()) +
         " workers had no memory for it and serve by the configuration of before; reload again";
}

Reloader::Change Reloader::change_to(const Built& built) const {
  Change change;
  control::Reloaded& reloaded = change.reloaded;
  reloaded.config = built.snapshot->hash;
  std::vector<std::string> changed;
  config::EffectiveValues& next = change.values = config::effective_values(built.loaded);
  for (const config::Change& one : config::changes(values_, next)) {
    if (one.reload != config::Reload::restart) {
      changed.push_back(config::path_in_public(one.path));
      continue;
    }
    // The old value stays in force.
    reloaded.needs_restart.push_back(one.path);
    if (one.running) {
      next[one.path] = *one.running;
    } else {
      next.erase(one.path);
    }
  }
  reloaded.changed = in_words(changed);
  change.names = list_of(changed);
  change.restart = list_of(reloaded.needs_restart);
  change.servers = upstream::names_of(*built.snapshot->settings);
  return change;
}

// The workers have it already: nothing that this process knows of it may lack.
void Reloader::put_in_force(const Built& built, Change& change) noexcept {
  const config::LimitSettings& limits = built.snapshot->settings->limits;
  common_.slots.set_limits({limits.sessions, limits.sessions_per_ip});
  current_ = built.snapshot;
  values_ = std::move(change.values);
  common_.registry.names().forget_others(change.servers);
  names_changed_.notify();
  try {
    common_.log->write(
        LogLevel::info, "reloaded",
        {{"config", change.reloaded.config}, {"changed", change.names}, {"needs_restart", change.restart}});
    tell_certificate_age();
    report_missing_routes(*current_, common_);
  } catch (const std::bad_alloc&) {
    common_.counters.add(Fault::log);
  }
}

control::ReloadErrors Reloader::refuse(const Errors& errors) {
  common_.counters.add(Fault::reload_failed);
  control::ReloadErrors lines;
  for (const config::ConfigError& error : errors) lines.push_back(error.to_string());
  const std::string_view kind = name(Fault::reload_failed);
  for (std::size_t i = 0; i < std::min(lines.size(), most_logged_errors); ++i) {
    common_.log->write(LogLevel::error, "fault", {{"kind", kind}, {"detail", lines[i]}});
  }
  if (lines.size() > most_logged_errors) {
    const std::string rest = std::to_string(lines.size() - most_logged_errors) + " more errors; `sallyport check`";
    common_.log->write(LogLevel::error, "fault", {{"kind", kind}, {"detail", rest}});
  }
  return lines;
}

namespace {

// Null: TLS is not offered. All listeners have the same certificates.
const tls::ServerContext* certificates_of(const session::Snapshot& snapshot) {
  for (const session::Listener& listener : snapshot.listeners) {
    if (listener.tls) return listener.tls.get();
  }
  return nullptr;
}

}  // namespace

void Reloader::tell_certificate_age() {
  set_certificate_gauge(certificates_of(*current_), common_.counters, std::chrono::system_clock::now());
}

Task<void> Reloader::watch_certificates() {
  Duration interval{};  // the first look is the loop's first work, after `ready`
  while (true) {
    co_await async::sleep_for(loop_.scheduler(), interval);
    interval = std::chrono::seconds(1);
    if (common_.clock_watch->is_suspect_now()) continue;
    try {
      certificates_.look(certificates_of(*current_), std::chrono::system_clock::now());
    } catch (const std::bad_alloc&) {
      // The next look says it.
    }
  }
}

}  // namespace sallyport::app
