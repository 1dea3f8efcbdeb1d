// FaultyUpstream: a server that misbehaves once, in one way, at one point of the protocol (threats.md, section 13, the
// fault matrix). Otherwise it behaves, so that a test sees how the gateway handles this fault alone.
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

// The point of the protocol. `connect` is done by the dialer, and is here only for the tables.
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
  first_use,  // MAIL on a kept connection
  quit,
};

enum class Misdeed : std::uint8_t {
  closes,
  resets,
  stalls,    // neither sends nor reads any more
  early,     // sends its reply together with the reply before
  late,      // replies 1 s before the deadline
  too_late,  // replies 1 s after it
  twice,     // sends the reply twice
  no_code,
  code_outside,  // a code outside 200-599
  differing_codes,
  nul,
  bare_lf,
  too_many_lines,
  too_long,
  octet_by_octet,
  says_421,  // 421, then closes
  says_4xx,
  says_5xx,
  says_more,  // sends the reply, then one that nothing asked for
};

std::string_view name(Point point);
std::string_view name(Misdeed misdeed);

class FaultyUpstream {
 public:
  static constexpr std::size_t transit_octets = 1024;
  // With a narrow transit, the gateway has not sent all of a message of this size when the server is in the middle of
  // it, or near its end.
  static constexpr std::size_t long_message_octets = std::size_t{60} * 1024;
  enum class Kind : std::uint8_t { plain, pipelining, chunking };  // chunking includes PIPELINING
  struct Plan {
    Point point;
    Misdeed misdeed;
    bool stores_first = true;                          // at after_end: it stores the message before it misbehaves
    std::size_t message_octets = long_message_octets;  // at before_end: the least size of the message
  };

  // It records its connections, commands and messages in `books`. With a certificate it offers STARTTLS.
  FaultyUpstream(async::Scheduler& scheduler, Kind kind, Plan plan, FakeUpstream& books,
                 std::shared_ptr<const tls::ServerContext> tls)
      : scheduler_(scheduler), kind_(kind), plan_(plan), books_(books), tls_(std::move(tls)) {}

  // From now on it misbehaves the next time its point is reached.
  void arm() { armed_ = true; }
  bool has_done_wrong() const { return done_; }
  // Limits the content on its way to the server to transit_octets, besides one block.
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
  // Sends the reply of this point, or misbehaves. False when the connection is over.
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
