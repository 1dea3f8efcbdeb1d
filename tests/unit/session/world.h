// World: a gateway in a test: a client's connection on one side, scripted upstream servers on the other, and time that
// the test moves.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gateway/base/public_suffix.h"
#include "gateway/record/counters.h"
#include "gateway/record/log_line.h"
#include "gateway/session/session.h"
#include "tests/support/fake_clock.h"
#include "tests/support/lines_log.h"
#include "tests/support/manual_loop.h"
#include "tests/support/memory_stream.h"
#include "tests/support/scripted_dialer.h"
#include "tests/support/table_resolver.h"
#include "tests/unit/mail/fake_spool.h"
#include "tests/unit/session/invariants.h"
#include "tests/unit/session/tap.h"
#include "tests/unit/session/test_policy.h"

namespace sallyport::session {

// Keeps the events, too, for the invariants.
class EventsLog final : public support::LinesLog {
 public:
  bool write(LogLevel level, std::string_view event, const std::vector<LogField>& fields) override;
  std::vector<LoggedEvent> events;
};

// Keeps the records of all mails, recipients and connections.
class KeptRecords final : public record::RecordSink {
 public:
  bool take(const record::MailRecord& record) noexcept override {
    all.push_back(record);
    return true;
  }
  std::vector<record::MailRecord> all;
};

class UnlimitedRates final : public io::RateStore {
 public:
  Task<io::RateAnswer> take(std::string, Rate) override { co_return io::RateAnswer{}; }
};

class FreeSlots final : public io::SessionSlots {
 public:
  std::unique_ptr<Slot> take(const IpAddress&, Share) override {
    return places > 0 ? std::make_unique<Slot>() : nullptr;
  }
  std::unique_ptr<Slot> take_for_mail(std::uint64_t) override {
    return places_for_mails > 0 ? std::make_unique<Slot>() : nullptr;
  }
  int places = 1;
  int places_for_mails = 1;
};

class SetPressure final : public io::Pressure {
 public:
  Level level() const noexcept override { return all; }
  Level level_for_one_inside() const noexcept override { return inside; }
  Level all = Level::none;
  Level inside = Level::none;
};

// An upstream server: replies to each command by its verb, and stores the messages it has taken. Destroyed before its
// World, it resets its connections.
class FakeUpstream {
 public:
  FakeUpstream() = default;
  FakeUpstream(const FakeUpstream&) = delete;
  FakeUpstream& operator=(const FakeUpstream&) = delete;
  ~FakeUpstream();

  struct Stored {
    std::string mail;
    std::vector<std::string> rcpts;
    std::string content;
    std::string wire;  // the content as it came, its framing included
  };

  // Replies by verb ("MAIL", "RCPT", "DATA", "." for the end of data, "" for the greeting); replies in `queued` are
  // used first. The reply "close" closes the connection instead, "reset" resets it, "silence" sends nothing.
  std::map<std::string, std::string> replies{
      {"", "220 upstream.example ESMTP\r\n"},
      {"EHLO",
       "250-upstream.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n250 SIZE 10000000\r\n"},
      {"MAIL", "250 2.1.0 Ok\r\n"},
      {"RCPT", "250 2.1.5 Ok\r\n"},
      {"DATA", "354 go on\r\n"},
      {"BDAT", "250 2.0.0 Stored\r\n"},
      {".", "250 2.0.0 Stored\r\n"},
      {"RSET", "250 2.0.0 Ok\r\n"},
      {"QUIT", "221 2.0.0 Bye\r\n"},
  };
  std::map<std::string, std::deque<std::string>> queued;
  std::vector<Stored> stored;
  std::vector<std::string> commands;  // commands of all connections, in order
  int connections = 0;
  // Called when a message has arrived completely, before the reply.
  std::function<void()> before_final_reply = [] {};

  // With a certificate, the upstream performs the TLS handshake after STARTTLS.
  std::shared_ptr<const tls::ServerContext> tls;
  // The octets of each TLS connection, decrypted, from the upstream's point of view.
  std::vector<std::shared_ptr<Wire>> secured;

  Task<void> serve(std::unique_ptr<io::Stream> stream);
  // Sends octets that no command asked for, on the connection that was opened last.
  Task<void> blurt(std::string octets);

 private:
  // The streams of the connections being served.
  using Served = std::set<std::unique_ptr<io::Stream>*>;
  class Serving;

  std::string reply_to(const std::string& verb);

  io::Stream* latest_ = nullptr;
  std::shared_ptr<Served> served_ = std::make_shared<Served>();
};

// Its configuration is `settings` with the policies of `entries`. What a test changes in them takes effect if it does
// so before the first connection, or before reload(). At first there is one tenant, "default", which serves
// example.com, and one upstream, "default", too.
//
// When a World is destroyed, it lets the remaining sessions run into their deadlines, with peers that send nothing
// more, and checks the invariants (invariants.h) on everything that has happened. Servers and policies of the test that
// use other objects need those declared before the World.
class World {
 public:
  World();
  ~World();

  // Skips one invariant that this test makes impossible to check; say why beside the call.
  void excuse(Invariant invariant) { excused_.insert(invariant); }

  // Called for each broken invariant.
  std::function<void(const std::string& what)> on_broken_invariant = report_broken_invariant;

  // Makes the host, for peers that the test serves by itself.
  void start();
  // Connects a client; its session starts.
  void connect(SocketAddress from = *SocketAddress::parse("192.0.2.1:1234"));
  // The same for a client that the test plays itself, on the other end of `stream`.
  void connect(std::unique_ptr<io::Stream> stream, SocketAddress from);
  // Sends octets and returns everything that is answered without time passing.
  std::string say(std::string_view octets);
  std::string heard();
  // From now on the client reads so slowly that a reply waits to be sent.
  void read_nothing_more();
  // Connects, reads the greeting and says EHLO.
  void greet();
  void greet_connected();
  bool is_over() const { return sessions_->size() == 0; }
  void advance(Duration duration) { loop.advance(duration); }

  // Adds a policy behind the present ones; to be called before the first connection.
  void add(const policies::PolicyEntry& entry) { entries.push_back(&entry); }
  TestPolicy& add(std::unique_ptr<TestPolicy> policy);
  // Adds a tenant with a copy of the policies' settings as they are now; changes of the returned set apply to this
  // tenant only.
  settings::Set& add_tenant(const std::string& name, const std::string& domain, const std::string& route);
  // Adds an upstream with one server.
  void add_upstream(const std::string& name, SocketAddress server);
  // Makes a snapshot of the present `settings`, for connections and mails that begin from now on.
  void reload();

  // True: a WatchingPolicy is added. It is always added where the test has policies of its own; without any policy a
  // session takes the same path as in a gateway that has none.
  bool watches_content = false;

  support::ManualLoop loop;
  Counters counters;
  EventsLog log;
  support::FakeClock clock;
  support::ScriptedDialer dialer{loop.scheduler()};
  FakeUpstream upstream;
  mail::FakeSpool spool;
  FreeSlots slots;
  SetPressure pressure;
  support::TableResolver resolver;
  config::Settings settings;
  std::vector<const policies::PolicyEntry*> entries;
  KeptRecords records;
  Listener listener;
  upstream::ClientContexts upstream_tls;
  std::unique_ptr<support::MemoryPeer> client;
  std::unique_ptr<Host> host;
  std::unique_ptr<upstream::UpstreamPool> pool;
  std::unique_ptr<Session> session;

 private:
  void build();
  std::shared_ptr<const WorkerSnapshot> make_snapshot();
  void let_sessions_end();
  Evidence evidence() const;
  static Task<void> run(Session& session, World& world);

  TappedDialer tapped_dialer_{loop.scheduler(), dialer};
  std::vector<std::shared_ptr<Wire>> client_wires_;
  std::vector<SocketAddress> client_addresses_;
  std::map<std::string, SeenMessage, std::less<>> seen_;
  std::set<Invariant> excused_;
  upstream::UpstreamRegistry registry_;
  std::vector<upstream::UpstreamGroups> groups_;  // of each snapshot
  policies::Learned learned_;
  UnlimitedRates rates_;
  PublicSuffixList suffixes_;
  std::deque<policies::OwnNames> own_names_;  // of each snapshot
  std::deque<policies::PolicyEntry> test_entries_;
  std::vector<std::unique_ptr<TestPolicy>> test_policies_;
  std::unique_ptr<TestPolicy> watching_;  // uses the last of test_sections
  policies::PolicyEntry watching_entry_;
  record::LogLine log_line_{log, counters};
  record::RecordCounters record_counters_{counters};
  std::unique_ptr<async::Nursery> sessions_;
};

inline const SocketAddress first_server = *SocketAddress::parse("10.0.0.5:25");
inline const SocketAddress second_server = *SocketAddress::parse("10.0.0.6:25");

}  // namespace sallyport::session
