// A gateway's session in a test: a client's wire on one side, scripted upstream servers on the other, time that the
// test moves.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

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

namespace sallyport::session {

// Keeps the events too, for the invariants.
class EventsLog final : public support::LinesLog {
 public:
  void write(LogLevel level, std::string_view event, const std::vector<LogField>& fields) override;
  std::vector<LoggedEvent> events;
};

class FreeSlots final : public io::SessionSlots {
 public:
  std::unique_ptr<Slot> take(const IpAddress&) override { return places > 0 ? std::make_unique<Slot>() : nullptr; }
  bool are_scarce() const override { return scarce; }
  int places = 1;
  bool scarce = false;
};

// An upstream server: answers each command by its verb, stores what it has taken. One that goes before its World hangs
// up.
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

  // Replies by verb ("MAIL", "RCPT", "DATA", "." for the end of data, "" for the greeting); a queue is used up first. A
  // reply of "close" ends the connection instead, "silence" says nothing, "reset" breaks it.
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
  std::vector<std::string> commands;  // all of all connections
  int connections = 0;
  // Called when a message has arrived whole, before it is answered.
  std::function<void()> before_final_reply = [] {};

  // Where the upstream has a certificate its STARTTLS is real.
  std::shared_ptr<const tls::ServerContext> tls;
  // What was said under it, as the upstream sent and received it.
  std::vector<std::shared_ptr<Wire>> secured;

  Task<void> serve(std::unique_ptr<io::Stream> stream);
  // Says something unasked on the connection that was opened last.
  Task<void> blurt(std::string octets);

 private:
  // The streams of the connections that are served.
  using Served = std::set<std::unique_ptr<io::Stream>*>;
  class Serving;

  std::string reply_to(const std::string& verb);

  io::Stream* latest_ = nullptr;
  std::shared_ptr<Served> served_ = std::make_shared<Served>();
};

// When a World ends it lets the sessions that still live run out of time, with peers that say nothing more, and checks
// the invariants (invariants.h) on all that has happened in it. What its servers and policies use should be declared
// before it.
class World {
 public:
  World();
  ~World();

  // This test makes it impossible to tell: the one invariant is not checked. Say why beside the call.
  void excuse(Invariant invariant) { excused_.insert(invariant); }

  // What becomes of a broken invariant.
  std::function<void(const std::string& what)> on_broken_invariant = report_broken_invariant;

  // One client; its dialogue begins.
  void connect(SocketAddress from = *SocketAddress::parse("192.0.2.1:1234"));
  // The same for a client that the test plays itself, on the other end of `stream`.
  void connect(std::unique_ptr<io::Stream> stream, SocketAddress from);
  // Says something and gives all that is answered without time passing.
  std::string say(std::string_view octets);
  std::string heard();
  // connect(), greeting and EHLO.
  void greet();
  void greet_connected();
  bool is_over() const { return sessions_->size() == 0; }
  void advance(Duration duration) { loop.advance(duration); }

  // Whether a policy that only looks is there too. Where a test has policies of its own it always is; without any a
  // session goes the way of a gateway that has none.
  bool watches_content = false;

  support::ManualLoop loop;
  Counters counters;
  EventsLog log;
  support::FakeClock clock;
  support::ScriptedDialer dialer{loop.scheduler()};
  FakeUpstream upstream;
  mail::FakeSpool spool;
  FreeSlots slots;
  support::TableResolver resolver;
  config::Settings settings;
  std::vector<std::unique_ptr<policies::Policy>> policies;
  Door door;
  std::map<std::string, std::shared_ptr<const tls::ClientContext>> upstream_tls;
  std::unique_ptr<support::MemoryPeer> client;
  std::unique_ptr<Host> host;
  std::unique_ptr<UpstreamPool> pool;
  std::unique_ptr<Session> session;

 private:
  void build();
  void let_sessions_end();
  Evidence evidence() const;
  static Task<void> run(Session& session, World& world);

  TappedDialer tapped_dialer_{loop.scheduler(), dialer};
  std::vector<std::shared_ptr<Wire>> client_wires_;
  std::vector<SocketAddress> client_addresses_;
  std::map<std::string, SeenMessage, std::less<>> seen_;
  std::set<Invariant> excused_;
  std::unique_ptr<UpstreamBoard> board_;
  std::unique_ptr<async::Nursery> sessions_;
};

inline const SocketAddress first_server = *SocketAddress::parse("10.0.0.5:25");
inline const SocketAddress second_server = *SocketAddress::parse("10.0.0.6:25");

}  // namespace sallyport::session
