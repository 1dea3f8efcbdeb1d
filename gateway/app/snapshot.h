// SnapshotBuilder: makes all that a configuration needs to be served by (gateway/session/snapshot.h), and fails as a
// whole when any of it cannot be had: TLS contexts with their certificates and keys, upstream groups, the tenants'
// plans, and for each worker the policies' gatherers (rules compiled, lists sorted out).
//
// It takes as long as reading files and compiling rules takes, so it runs on no loop: before the loops start, or on the
// work pool when the configuration is reloaded. One build at a time.
//
// TLS contexts are made anew each time, also when nothing has changed: that is how a renewed certificate comes in.
// Their ticket keys are new with them and the old ones are wiped with the old contexts, once the last connection that
// uses these has ended (threats.md V7); a client that comes back after a reload makes a full handshake.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "gateway/app/common_parts.h"
#include "gateway/base/result.h"
#include "gateway/config/load.h"
#include "gateway/io/http_client.h"
#include "gateway/session/snapshot.h"
#include "policies/api/gathering.h"
#include "policies/milters/pool.h"

namespace sallyport::app {

// One configuration, ready to serve by.
struct Built {
  config::Loaded loaded;
  std::shared_ptr<const session::Snapshot> snapshot;
  std::vector<std::shared_ptr<const session::WorkerSnapshot>> for_workers;  // one for each
};

class SnapshotBuilder {
 public:
  // It outlives the workers, as it holds what their policies have learned. So does `common`.
  SnapshotBuilder(CommonParts& common, std::string config_file, std::size_t workers);
  SnapshotBuilder(const SnapshotBuilder&) = delete;
  SnapshotBuilder& operator=(const SnapshotBuilder&) = delete;

  // Reads the configuration's files and builds from them. The errors are those that `sallyport check` prints.
  Result<Built, config::ConfigErrors> build();
  // The same from files that have been read.
  Result<Built, config::ConfigErrors> build(config::Loaded loaded);

  // The same configuration with the servers that its names stand for now. May run beside the loops.
  std::shared_ptr<const session::Snapshot> regroup(const session::Snapshot& snapshot) const;

  // The rules of this worker ask web servers with it; before they run.
  void use_http(std::size_t worker, io::HttpClient& http);
  // Milters are asked over these connections of the worker's; before anything is served.
  void use_milters(std::size_t worker, policies::MilterPool& pool);

  const std::string& config_file() const { return config_file_; }
  std::size_t workers() const { return learned_.size(); }

 private:
  Result<Built> make(config::Loaded loaded);
  Result<std::shared_ptr<const session::WorkerSnapshot>> prepare(std::shared_ptr<const session::Snapshot> snapshot,
                                                                 policies::Learned& learned);

  CommonParts& common_;
  const std::string config_file_;
  std::deque<policies::Learned> learned_;  // one for each worker
};

}  // namespace sallyport::app
