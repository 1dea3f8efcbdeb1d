// MtaWorld: a gateway with a listener of protocol = "milter", and an MTA that the test plays on the other end.
//
// A policy of the test judges: `judge` is called at each stage. When a world is destroyed, no session may be left, and
// counters and log must agree (session/invariants.h).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/milter/command.h"
#include "gateway/milter_service/mta_session.h"
#include "tests/unit/session/world.h"

namespace sallyport::milter_service {

inline const SocketAddress some_mta = *SocketAddress::parse("127.0.0.1:40000");
inline const SocketAddress some_client = *SocketAddress::parse("192.0.2.7:4711");

class MtaWorld {
 public:
  using Judge = std::function<void(policies::Stage, const policies::Transaction&, policies::Verdicts&)>;
  using Answers = std::vector<std::string>;  // whole packets without their length: the letter, and data
  using Fields = std::vector<std::pair<std::string, std::string>>;

  MtaWorld();
  ~MtaWorld();

  // What judges every mail. By default nothing is said.
  Judge judge = [](policies::Stage, const policies::Transaction&, policies::Verdicts&) {};

  // An MTA connects; its session starts.
  void connect(SocketAddress from = some_mta);
  Answers say(const milter::Command& command);
  Answers say_octets(std::string_view octets);
  void macros(milter::Verb of, std::vector<std::pair<std::string_view, std::string_view>> values);
  Answers offer(std::uint32_t version = 6, std::uint32_t actions = milter::action::all,
                std::uint32_t options = milter::option::all);
  Answers name_client(std::string_view host = "client.example", SocketAddress address = some_client);
  // Up to HELO.
  void open();
  Answers mail(std::string_view path = "<ann@example.org>");
  Answers rcpt(std::string_view path = "<bob@example.com>");
  // MAIL and one RCPT, which are accepted.
  void begin();
  // The answers at the message's end.
  Answers content(const Fields& fields = {{"Subject", " hello"}}, std::string_view body = "text\r\n");
  // A whole mail.
  Answers whole(const Fields& fields = {{"Subject", " hello"}}, std::string_view body = "text\r\n");

  bool is_over() const { return sessions_->size() == 0; }
  bool has_ended() const { return mta->saw_end() || mta->saw_reset(); }
  const record::MailRecord& last() const { return world.records.all.back(); }
  std::size_t mails() const;
  void run() { world.loop.run(); }

  session::World world;
  session::Listener listener;
  MissingActions missing_actions;
  std::unique_ptr<support::MemoryPeer> mta;
  std::unique_ptr<MtaSession> session;

 private:
  static Task<void> serve(MtaWorld& world);
  Answers answers();

  std::unique_ptr<async::Nursery> sessions_;
  std::string heard_;
};

}  // namespace sallyport::milter_service
