// A server that does one thing wrong: one misdeed, once, at one point of the protocol (threats.md, section 13, the
// fault matrix). Before and after it behaves, so that a test sees what the gateway makes of the misdeed and of nothing
// else.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/async/scheduler.h"
#include "gateway/async/task.h"
#include "gateway/io/stream.h"
#include "gateway/tls/context.h"
#include "tests/unit/session/world.h"

namespace sallyport::session {

// Where in the dialogue. `connect` is the dialer's business and here only for the tables.
enum class Point : std::uint8_t {
  connect,
  greeting,
  ehlo,
  starttls,
  second_ehlo,
  mail,
  first_rcpt,
  later_rcpt,
  go_ahead,
  mid_content,
  before_end,
  after_end,
  rset,
  idle,
  first_use,  // MAIL on a connection that was kept
  quit,
};

enum class Misdeed : std::uint8_t {
  closes,
  resets,
  stalls,    // says nothing, reads nothing, for ever
  early,     // replies together with the reply before
  late,      // just before the deadline
  too_late,  // just after it
  twice,     // the reply, two times
  no_code,
  code_outside,  // of 200-599
  differing_codes,
  nul,
  bare_lf,
  too_many_lines,
  too_long,
  octet_by_octet,
  says_421,  // and closes
  says_4xx,
  says_5xx,
  says_more,  // the reply, and another that nobody asked for
};

std::string_view name(Point point);
std::string_view name(Misdeed misdeed);

class FaultyUpstream {
 public:
  static constexpr std::size_t transit_octets = 1024;
  // Of a message of this size the gateway has not sent all in the middle or before its end, if the way is narrow.
  static constexpr std::size_t long_message_octets = std::size_t{60} * 1024;
  enum class Kind : std::uint8_t { plain, pipelining, chunking };  // chunking: and PIPELINING
  struct Plan {
    Point point;
    Misdeed misdeed;
    bool stores_first = true;                          // at after_end: it has stored the message before it does wrong
    std::size_t message_octets = long_message_octets;  // at before_end: how long it will be, at least
  };

  // `books` is where it notes its connections, commands and messages. With a certificate it offers STARTTLS.
  FaultyUpstream(async::Scheduler& scheduler, Kind kind, Plan plan, FakeUpstream& books,
                 std::shared_ptr<const tls::ServerContext> tls)
      : scheduler_(scheduler), kind_(kind), plan_(plan), books_(books), tls_(std::move(tls)) {}

  // The next time its point is reached it does wrong.
  void arm() { armed_ = true; }
  bool has_done_wrong() const { return done_; }
  // Lets no more than so much content be on its way to the server, besides one block.
  static void narrow(support::MemoryStream& stream);

  Task<void> serve(std::unique_ptr<io::Stream> stream);

 private:
  struct Talk {
    std::unique_ptr<io::Stream> stream;
    bool is_secured = false;
    bool has_mail = false;
    bool has_replied_early = false;
    FakeUpstream::Stored current;
  };

  bool is_due(Point point) const { return armed_ && plan_.point == point; }
  std::optional<Point> point_before(Point point) const;
  std::string reply_at(Point point, const Talk& talk) const;
  Task<std::optional<std::string>> read_line(io::Stream& stream);
  // The reply at this point, or the misdeed. False when the conversation is over.
  Task<bool> answer(Talk& talk, Point point);
  Task<bool> say(Talk& talk, std::string octets);
  Task<bool> do_wrong(Talk& talk, Point point, std::string reply);
  Task<bool> obey(Talk& talk, const std::string& line);
  Task<bool> take_content(Talk& talk, std::optional<std::uint64_t> counted);
  Task<bool> secure(Talk& talk);

  async::Scheduler& scheduler_;
  Kind kind_;
  Plan plan_;
  FakeUpstream& books_;
  std::shared_ptr<const tls::ServerContext> tls_;
  bool armed_ = false;
  bool done_ = false;
};

}  // namespace sallyport::session
