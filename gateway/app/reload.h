// Reloader: takes a changed configuration while the gateway serves (`sallyport reload`, SIGHUP; threats.md R11).
//
// All or nothing: the whole snapshot is built, and new addresses are bound, before any worker hears of it. When
// anything of that fails, everything stays as it was; the errors go to whoever asked, and into the log. Then each
// worker takes the snapshot on its own loop: connections and mails that begin afterwards are served by it, those under
// way keep theirs, addresses that are named no more are retired.
//
// What is learned while serving lives in CommonParts and in SnapshotBuilder, and goes on. Settings that take effect at
// a start only (Reload::restart) keep their values; a reload names those that differ.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/app/snapshot.h"
#include "gateway/app/worker.h"
#include "gateway/async/lock.h"
#include "gateway/config/diff.h"
#include "gateway/control/protocol.h"

namespace sallyport::app {

class Reloader {
 public:
  using Outcome = Result<control::Reloaded, control::ReloadErrors>;

  // All of it outlives the Reloader; `loop` is that of the first worker, and all members are called on it.
  // `at_start` is what the workers serve by.
  Reloader(CommonParts& common, SnapshotBuilder& builder, const std::vector<std::unique_ptr<Worker>>& workers,
           const Built& at_start);

  // Reads the configuration anew and opens the log's file anew. One reload at a time: a second one waits, and then does
  // the whole work again, because the files may have changed meanwhile.
  Task<Outcome> reload();
  // For SIGHUP: the outcome is in the log. While one of these waits for its turn, another one is not needed.
  Task<void> reload_by_signal();
  // The gateway shuts down: what is under way is finished, further reloads are refused.
  void stop() { is_stopping_ = true; }

  // What is in force, for `config diff`: the snapshot's values, and the start's of what only a restart changes.
  const config::EffectiveValues& values() const { return values_; }

 private:
  // What a build gives, with sockets for the addresses that are new: for each worker, one for each.
  struct Prepared {
    Built built;
    std::vector<std::vector<NewSocket>> sockets;
  };
  struct Preparation;

  Task<Outcome> reload_now();
  Task<void> hand_out(Prepared& prepared);
  control::Reloaded put_in_force(const Built& built);
  control::ReloadErrors refuse(const config::ConfigErrors& errors);

  CommonParts& common_;
  SnapshotBuilder& builder_;
  const std::vector<std::unique_ptr<Worker>>& workers_;
  uv::Loop& loop_;
  async::Lock one_at_a_time_;
  std::shared_ptr<const session::Snapshot> current_;
  config::EffectiveValues values_;
  bool is_stopping_ = false;
  bool signal_waits_ = false;
};

// What is said of the certificates of a snapshot that comes into force: the gauge, and a warning for each that is not
// valid now (threats.md T9).
void report_certificates(const session::Snapshot& snapshot, CommonParts& common);

}  // namespace sallyport::app
