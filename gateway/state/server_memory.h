// ServerMemory: what the servers behind us have offered in their last EHLO reply, kept over restarts. So a gateway that
// starts while a server is away offers its clients what that server had (threats.md U12).
//
// In the table upstream_server of the embedded store. A server that has not been seen for keep_for is forgotten,
// unless the clock is suspect (clock_trust.h) or another process holds the file.
#pragma once

#include <string>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/base/units.h"
#include "gateway/state/database.h"
#include "gateway/state/store.h"

namespace sallyport::state {

struct RememberedServer {
  std::string upstream;  // its name in the configuration
  std::string address;   // "10.1.0.5:25", "unix:/run/lmtp"
  std::string name;      // the name that the address belongs to; empty: it was configured as it is
  std::string offers;    // the lines of the EHLO reply that matter, without the first, joined by LF
  friend bool operator==(const RememberedServer&, const RememberedServer&) = default;
};

class ServerMemory {
 public:
  static constexpr auto keep_for = std::chrono::days(30);

  explicit ServerMemory(Store& store) : store_(store) {}

  // All that is remembered, the latest first; forgets what is too old.
  static Result<std::vector<RememberedServer>> read(Database& database, WallTime now);
  // Those that were there within the last day.
  static Result<std::vector<RememberedServer>> read_recent(Database& database, WallTime now);
  // Any thread; never waits for the disk.
  void remember(RememberedServer server, WallTime seen) noexcept;

 private:
  Store& store_;
};

}  // namespace sallyport::state
