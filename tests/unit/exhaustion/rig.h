// A gateway in memory whose turns may run out of memory, between a client and an upstream that never do.
//
// All that makes up a worker is real, but for sockets, clock and log: sessions, policies with a Lua rule and DNS over a
// resolver with its cache, rates, TLS on both sides, the spool.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/public_suffix.h"
#include "gateway/record/counters.h"
#include "gateway/record/log_line.h"
#include "gateway/resolver/cache.h"
#include "gateway/resolver/resolver.h"
#include "gateway/session/session.h"
#include "gateway/state/pressure.h"
#include "gateway/state/rate_table.h"
#include "gateway/state/session_table.h"
#include "gateway/upstream/registry.h"
#include "tests/support/fake_clock.h"
#include "tests/support/manual_loop.h"
#include "tests/support/memory_datagram.h"
#include "tests/unit/exhaustion/injector.h"
#include "tests/unit/exhaustion/pipe.h"

namespace sallyport::exhaustion {

struct RigOptions {
  bool upstream_tls = false;
  bool upstream_chunking = false;
  std::string end_reply = "250 2.0.0 Stored";  // "close": the upstream stores the message and hangs up
};

// Keeps its lines; like the real one it never fails for want of memory.
class KeepingLog final : public Log {
 public:
  bool write(LogLevel level, std::string_view event, const std::vector<LogField>& fields) override {
    Exempt exempt;
    lines.push_back(format_line(LogFormat::text, level, event, fields));
    return true;
  }
  std::size_t count(std::string_view word) const;
  std::vector<std::string> lines;
};

class Rig final : public io::Dialer {
 public:
  explicit Rig(RigOptions options);
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;
  ~Rig() override;

  // The way to the upstream.
  Task<Result<std::unique_ptr<io::Stream>, io::Error>> dial(SocketAddress to, Time deadline) override;
  // A client connects; gives its end of the connection.
  std::shared_ptr<Pipe> connect(SocketAddress from);
  // The gateway's turn: all that can happen now. The turns of a Rig fail as the Failing that lives then says.
  void run();
  // The same, and time passes until something is heard or the session is over; at most an hour of it.
  void run_until_news(const PipeHalf& incoming);
  // Until no session is left; false when one lives for longer than an hour.
  bool end_sessions();
  void let_time_pass(Duration duration);

  // What is counted must be what there is, once nothing happens any more. Empty, or what is wrong.
  std::string inconsistency() const;

  std::vector<std::string> stored;  // contents, as the upstream got them
  KeepingLog log;
  Counters counters;

 private:
  struct Arrival;
  Task<void> serve_client(std::unique_ptr<io::Stream> stream, SocketAddress from);
  Task<void> serve_upstream(std::unique_ptr<io::Stream> stream);
  static std::string greeting();
  std::string answer_to(const std::string& line) const;
  std::optional<std::string> obey(Arrival& arrival, std::string unit);
  std::vector<support::MemoryPacket> answer_query(std::string_view query) const;

  RigOptions options_;
  support::ManualLoop loop_;
  support::FakeClock clock_;
  config::Settings settings_;
  std::shared_ptr<session::Snapshot> snapshot_ = std::make_shared<session::Snapshot>();
  std::unique_ptr<mail::Spool> spool_;
  state::SessionTable slots_{{100, 100}};
  const state::Pressure pressure_{slots_, counters};
  PublicSuffixList suffixes_;
  state::RateTable rates_{{.max_entries = 100, .shards = 1}, [this] { return loop_.now(); }};
  resolver::Cache cache_{100};
  support::MemoryNetwork network_{loop_.scheduler()};
  upstream::UpstreamRegistry registry_;
  policies::Learned learned_;
  policies::OwnNames own_;
  std::unique_ptr<resolver::Resolver> resolver_;
  async::Nursery upstreams_{loop_.scheduler()};
  std::unique_ptr<upstream::UpstreamPool> pool_;
  record::LogLine log_line_{log, counters};
  record::RecordCounters record_counters_{counters};
  std::unique_ptr<session::Host> host_;
  async::Nursery sessions_{loop_.scheduler()};
  async::Nursery probes_{loop_.scheduler()};
};

}  // namespace sallyport::exhaustion
