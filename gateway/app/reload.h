// Reloader: takes a changed configuration while the gateway serves (`sallyport reload`, SIGHUP; threats.md R11).
//
// A configuration is taken whole or not at all. The Reloader builds the snapshot and binds new addresses on the work
// pool, before it gives any worker something. If a part of that fails, nothing changes; the caller gets the errors, and
// the log gets them too. If all succeeds, each worker takes the snapshot on its own loop: connections and mails that
// begin afterwards are served by it, those under way keep theirs, and listeners whose address the new configuration
// does not name are retired (uv::Listener::retire).
//
// What is learned while serving is kept in CommonParts and SnapshotBuilder, and survives. Settings that take effect
// only at a start (Reload::restart) keep their old values; the answer and the log name those that differ.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gateway/app/all_done.h"
#include "gateway/app/certificate_watch.h"
#include "gateway/app/snapshot.h"
#include "gateway/app/worker.h"
#include "gateway/async/lock.h"
#include "gateway/config/diff.h"
#include "gateway/control/protocol.h"

namespace sallyport::app {

class Reloader {
 public:
  using Outcome = Result<control::Reloaded, control::ReloadErrors>;

  // All but `at_start` outlive the Reloader. Its members are called on `loop` only, which is no worker's. `at_start` is
  // the configuration that the workers serve by; `dns` is asked for the names of the upstreams' servers.
  Reloader(CommonParts& common, SnapshotBuilder& builder, const std::vector<std::unique_ptr<Worker>>& workers,
           const Built& at_start, uv::Loop& loop, io::Resolver& dns);

  // Reads the configuration anew and opens the log's file anew. One reload at a time: a second one waits, and then does
  // the whole work again, because the files may have changed meanwhile.
  Task<Outcome> reload();
  // For SIGHUP: only the log tells the outcome. While the gateway shuts down, the log's file is opened anew, and that
  // is all. Returns at once while another call waits for its turn, because that one will read the files as they are
  // then.
  Task<void> reload_by_signal();
  // For ever: looks up the names of the upstreams' servers when they are due, and gives all workers the servers that
  // they stand for now. Mails under way stay where they are, those that begin afterwards go to the new addresses.
  Task<void> follow_names();
  // For ever: writes down what the servers behind us offer, for the next start. Only where there is a store.
  Task<void> remember_servers();
  // The gateway shuts down: a reload under way is finished, further ones are refused.
  void stop() { is_stopping_ = true; }
  bool is_stopping() const { return is_stopping_; }
  // The same where another process has taken the place of this one: what it has learned is that one's now.
  void supersede();
  bool is_superseded() const { return is_superseded_; }
  // No reload goes on as long as the caller holds it.
  Task<async::Lock::Held> hold_off() { return one_at_a_time_.take(); }
  // For ever: says when certificates come to the end of their time.
  Task<void> watch_certificates();
  // Sets the gauge of the time that the certificate in force has left: asked for with the figures, as it runs by
  // itself.
  void tell_certificate_age();

  // What is in force, for `config diff`: the snapshot's values, and the start's of what only a restart changes.
  const config::EffectiveValues& values() const { return values_; }
  // What is in force.
  const session::Snapshot& current() const { return *current_; }

 private:
  // What a build gives, with sockets for the addresses that are new: for each worker, one for each.
  struct Prepared {
    Built built;
    std::vector<std::vector<NewSocket>> sockets;
  };
  struct Preparation;
  struct Regrouping;
  // What is told of a configuration that is taken, made before anybody takes it.
  struct Change {
    control::Reloaded reloaded;
    config::EffectiveValues values;  // in force then
    std::string names;               // of the settings that change, for the log
    std::string restart;             // of those that only a restart changes
    upstream::Names servers;
  };

  Task<async::Lock::Held> turn_of_signal();
  Task<Outcome> reload_now();
  Task<bool> follow_names_once(bool is_due);
  Task<void> add_names(Built& built);
  // What has become of the orders that all workers were given.
  struct Taken {
    bool is_in_time = true;
    std::size_t failures = 0;
    bool is_by_all() const { return is_in_time && failures == 0; }
  };
  Task<Taken> hand_out(Prepared& prepared);
  Task<bool> take_addresses();
  std::string problem_with(const Taken& taken) const;
  Change change_to(const Built& built) const;
  void put_in_force(const Built& built, Change& change) noexcept;
  control::ReloadErrors refuse(const config::ConfigErrors& errors);

  CommonParts& common_;
  SnapshotBuilder& builder_;
  const std::vector<std::unique_ptr<Worker>>& workers_;
  uv::Loop& loop_;
  io::Resolver& dns_;
  async::Lock one_at_a_time_;
  async::Signal names_changed_;  // wakes follow_names()
  std::shared_ptr<const session::Snapshot> current_;
  config::EffectiveValues values_;
  CertificateWatch certificates_;
  bool is_stopping_ = false;
  bool is_superseded_ = false;
  bool signal_waits_ = false;
  std::set<Endpoint> half_served_;  // addresses for which a worker has got no socket, for want of memory
};

}  // namespace sallyport::app
