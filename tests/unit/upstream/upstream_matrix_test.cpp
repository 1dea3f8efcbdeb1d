// The fault matrix of the upstream (threats.md, sections 4 and 13): every misdeed at every point of the protocol, for
// content sent on by DATA and by BDAT, for clients that use either, with and without a second server.
//
// What the client must be told of each cell is computed by `expected()`, from the lines U1 to U15. In every cell also:
// nothing is acknowledged that the server has not stored; what was stored without an acknowledgement is logged as
// outcome_unknown; the second server sees a mail only where U6, U7 and U9 let it; each incident is counted once; and
// the same session then delivers the same message again, which is what a client does that was told 451.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>

#include "gateway/base/text.h"
#include "tests/unit/session/faulty_upstream.h"
#include "tests/unit/tls/test_certificates.h"

namespace sallyport::upstream {
namespace {

using namespace session;

using std::chrono::seconds;
using Kind = FaultyUpstream::Kind;

constexpr std::string_view down = "451 4.4.1 ";
constexpr std::string_view no_answer = "451 4.4.2 ";
constexpr std::string_view in_trouble = "451 4.3.0 ";
constexpr std::string_view no_tls = "451 4.7.5 ";
constexpr std::string_view taken = "250 2.0.0 Stored\r\n";
constexpr std::string_view not_now = "450 4.2.1 Not now\r\n";
constexpr std::string_view never = "552 5.2.2 Never\r\n";
constexpr std::string_view well = "250 2.";

struct Cell {
  Point point;
  Misdeed misdeed;
  Kind upstream;
  bool client_chunks;
  bool has_backup;
  bool stores_first;

  // In one write, or in several.
  std::size_t long_message_octets() const { return FaultyUpstream::long_message_octets * (has_backup ? 3 : 1); }
  bool is_tls() const { return point == Point::starttls || point == Point::second_ehlo; }
};

// What the client is told, how each answer begins, and what is counted.
struct Expected {
  std::string_view first_rcpt = well;
  std::string_view second_rcpt = well;
  std::string_view final = taken;  // to the message, or to DATA when that is refused
  std::vector<std::string> kinds;
  bool may_use_backup = false;  // and then all is well
  bool is_answer = false;       // of a server that takes no mail now: with a backup it is no incident
};

bool is_garbled(Misdeed misdeed) { return misdeed >= Misdeed::no_code && misdeed <= Misdeed::too_long; }
bool is_broken_off(Misdeed misdeed) { return misdeed == Misdeed::closes || misdeed == Misdeed::resets; }
bool is_too_slow(Misdeed misdeed) { return misdeed == Misdeed::stalls || misdeed == Misdeed::too_late; }
bool is_one_too_many(Misdeed misdeed) { return misdeed == Misdeed::twice || misdeed == Misdeed::says_more; }
std::string_view refusal_of(Misdeed misdeed) { return misdeed == Misdeed::says_4xx ? not_now : never; }
bool is_refusal(Misdeed misdeed) { return misdeed == Misdeed::says_4xx || misdeed == Misdeed::says_5xx; }

// Before the first mail: the next server may be asked whatever it is (U6, U7), none has had anything of the message.
Expected expected_while_opening(const Cell& cell) {
  Misdeed misdeed = cell.misdeed;
  auto fails = [](std::string_view told, std::string kind) {
    return Expected{told, well, taken, {std::move(kind)}, true};
  };
  bool is_plaintext_after_220 = (cell.point == Point::starttls && is_one_too_many(misdeed)) ||
                                (cell.point == Point::second_ehlo && misdeed == Misdeed::early);
  // U15: whatever goes wrong there.
  bool has_no_tls = cell.point == Point::starttls && misdeed != Misdeed::late && misdeed != Misdeed::octet_by_octet;
  if (is_plaintext_after_220 || has_no_tls) return fails(no_tls, "upstream_tls");
  bool is_older_than_esmtp =
      (cell.point == Point::ehlo || cell.point == Point::second_ehlo) && misdeed == Misdeed::says_5xx;
  if (is_older_than_esmtp) return {};
  if (is_broken_off(misdeed) || misdeed == Misdeed::says_421 || is_refusal(misdeed))
    return fails(down, "upstream_down");
  if (is_too_slow(misdeed)) return fails(down, "upstream_timeout");
  bool is_noticed_at_mail = is_one_too_many(misdeed) && (cell.point == Point::ehlo || cell.point == Point::second_ehlo);
  if (is_noticed_at_mail) return {in_trouble, well, taken, {"upstream_protocol"}, false};
  if (is_garbled(misdeed) || is_one_too_many(misdeed) || misdeed == Misdeed::early)
    return fails(in_trouble, "upstream_protocol");
  return {};
}

// MAIL and the first RCPT: the next server only for one that is gone (U6), and only while there is time.
Expected expected_at_first_recipient(const Cell& cell) {
  Misdeed misdeed = cell.misdeed;
  bool is_at_mail = cell.point != Point::first_rcpt;
  bool is_pipelined = cell.upstream != Kind::plain;
  bool takes_no_mail = misdeed == Misdeed::says_4xx || misdeed == Misdeed::says_421;
  if (cell.point == Point::first_use && (is_broken_off(misdeed) || is_too_slow(misdeed) || takes_no_mail))
    return {};                                                                                             // U9
  if (cell.point == Point::mail && misdeed == Misdeed::says_4xx) return {not_now, well, taken, {}, true};  // U7
  if (cell.point != Point::first_use && misdeed == Misdeed::says_421)
    return {in_trouble, well, taken, {"upstream_protocol"}, true, true};
  if (is_broken_off(misdeed)) return {down, well, taken, {"upstream_down"}, true};
  if (is_too_slow(misdeed)) return {down, well, taken, {"upstream_timeout"}, false};
  if (is_refusal(misdeed)) return {refusal_of(misdeed), well, taken, {}, false};
  if (is_garbled(misdeed)) return {in_trouble, well, taken, {"upstream_protocol"}, false};
  // Sent together, RCPT is complete when the reply to MAIL comes.
  if (misdeed == Misdeed::early && !is_at_mail && is_pipelined) return {};
  bool is_noticed_at_once = misdeed == Misdeed::early || (is_one_too_many(misdeed) && is_at_mail && !is_pipelined);
  if (is_noticed_at_once) return {in_trouble, well, taken, {"upstream_protocol"}, false};
  if (is_one_too_many(misdeed)) return {well, in_trouble, in_trouble, {"upstream_protocol"}, false};
  return {};
}

// From the first accepted recipient on, all that goes wrong is told.
Expected expected_with_recipients(const Cell& cell) {
  Misdeed misdeed = cell.misdeed;
  bool is_at_rcpt = cell.point == Point::later_rcpt;
  bool is_in_content = cell.point == Point::mid_content || cell.point == Point::before_end;
  if (misdeed == Misdeed::says_421 && !is_in_content) return {};  // U7: it is opened again
  Expected expected;
  auto fails = [&](std::string_view told, std::string kind) {
    if (is_at_rcpt) expected.second_rcpt = told;
    expected.final = told;
    expected.kinds = {std::move(kind)};
  };
  if (is_in_content && !is_broken_off(misdeed) && !is_too_slow(misdeed) && misdeed != Misdeed::late) {
    fails(in_trouble, "upstream_early");  // U3, whatever it is that it says
  } else if (is_broken_off(misdeed)) {
    fails(down, "upstream_down");
  } else if (is_too_slow(misdeed)) {
    fails(down, "upstream_timeout");
  } else if (misdeed == Misdeed::says_421 || is_garbled(misdeed)) {
    fails(in_trouble, "upstream_protocol");
  } else if (is_refusal(misdeed) && is_at_rcpt) {
    expected.second_rcpt = refusal_of(misdeed);
  } else if (is_refusal(misdeed)) {
    expected.final = refusal_of(misdeed);
  } else if (misdeed == Misdeed::early) {
    fails(in_trouble, "upstream_protocol");
  } else if (is_one_too_many(misdeed)) {
    // Noticed with the next thing that is sent: DATA, or the content.
    bool is_at_data = is_at_rcpt && cell.upstream != Kind::chunking;
    fails(in_trouble, is_at_data ? "upstream_protocol" : "upstream_early");
    expected.second_rcpt = well;
  }
  return expected;
}

Expected expected_after_end(const Cell& cell) {
  Misdeed misdeed = cell.misdeed;
  Expected expected;
  if (is_broken_off(misdeed)) {
    expected.final = no_answer;
    expected.kinds = {"upstream_down", "outcome_unknown"};
  } else if (is_too_slow(misdeed)) {
    expected.final = no_answer;
    expected.kinds = {"upstream_timeout", "outcome_unknown"};
  } else if (is_garbled(misdeed)) {
    expected.final = in_trouble;
    expected.kinds = {"upstream_protocol", "outcome_unknown"};
  } else if (misdeed == Misdeed::says_421) {
    expected.final = in_trouble;
    expected.kinds = {"upstream_protocol"};
  } else if (misdeed == Misdeed::early) {
    expected.final = in_trouble;
    expected.kinds = {"upstream_early"};
  } else if (is_refusal(misdeed)) {
    expected.final = refusal_of(misdeed);
  }
  return expected;
}

Expected expected(const Cell& cell) {
  switch (cell.point) {
    case Point::connect:
    case Point::greeting:
    case Point::ehlo:
    case Point::starttls:
    case Point::second_ehlo:
      return expected_while_opening(cell);
    case Point::mail:
    case Point::first_use:
    case Point::first_rcpt:
      return expected_at_first_recipient(cell);
    case Point::later_rcpt:
    case Point::go_ahead:
    case Point::mid_content:
    case Point::before_end:
      return expected_with_recipients(cell);
    case Point::after_end:
      return expected_after_end(cell);
    case Point::rset:
    case Point::idle:
    case Point::quit:
      return {};  // between mails it is nobody's business
  }
  return {};
}

// Some misdeeds have no meaning at some points.
bool exists(Point point, Misdeed misdeed) {
  switch (point) {
    case Point::connect:
      return is_broken_off(misdeed) || misdeed == Misdeed::stalls || misdeed == Misdeed::late;
    case Point::greeting:
    case Point::rset:
    case Point::quit:
    case Point::first_use:
      return misdeed != Misdeed::early;
    case Point::idle:
      return misdeed != Misdeed::early && misdeed != Misdeed::late && !is_too_slow(misdeed);
    case Point::mid_content:
    case Point::before_end:
      return misdeed != Misdeed::octet_by_octet;
    default:
      return true;
  }
}

bool exists(const Cell& cell) {
  bool is_about_a_mail = cell.point >= Point::mail && cell.point <= Point::after_end;
  if (!is_about_a_mail && cell.upstream != Kind::pipelining) return false;
  if (cell.point == Point::go_ahead && cell.upstream == Kind::chunking) return false;
  // What the client uses and who else is there have nothing to do with each other.
  if (cell.client_chunks != cell.has_backup) return false;
  bool is_silent = is_broken_off(cell.misdeed) || is_too_slow(cell.misdeed) || is_garbled(cell.misdeed);
  return cell.stores_first || (cell.point == Point::after_end && is_silent);
}

std::shared_ptr<const tls::ServerContext> server_context() {
  static const auto context = [] {
    tls::ServerTlsSettings settings;
    settings.certificates = {tls::common_certificates().ecdsa};
    return tls::make_server_context(settings).value();
  }();
  return context;
}

std::shared_ptr<const tls::ClientContext> client_context() {
  tls::ClientTlsSettings settings;
  settings.mode = tls::UpstreamTls::require;
  return tls::make_client_context(settings).value();
}

// One cell, from the first connection to the end of the second message.
class Play {
 public:
  explicit Play(const Cell& cell) : cell_(cell), expected_(expected(cell)) {
    auto certificate = cell.is_tls() ? server_context() : nullptr;
    FaultyUpstream::Plan plan{cell.point, cell.misdeed, cell.stores_first, cell.long_message_octets()};
    first_ =
        std::make_unique<FaultyUpstream>(world_.loop.scheduler(), cell.upstream, plan, world_.upstream, certificate);
    auto& group = world_.settings.upstreams["default"];
    if (cell.is_tls()) {
      group.tls.mode = tls::UpstreamTls::require;
      world_.upstream_tls["default"] = client_context();
      backup_.tls = certificate;
      backup_.replies["EHLO"] = "250-upstream.example\r\n250-STARTTLS\r\n250 PIPELINING\r\n";
      backup_.replies["STARTTLS"] = "220 2.0.0 Go ahead\r\n";
    }
    serve_first();
    if (!cell.has_backup) return;
    group.servers.push_back(second_server);
    world_.dialer.serve(second_server, [this](auto stream) { return backup_.serve(std::move(stream)); });
  }

  void run() {
    world_.greet();
    world_.advance(seconds(70));  // no connection is left of the probes
    bring_about();
    first_attempt();
    check_record();
    send_again();
  }

 private:
  void serve_first() {
    world_.dialer.serve(first_server, [this](std::unique_ptr<support::MemoryStream> stream) {
      FaultyUpstream::narrow(*stream);
      return first_->serve(std::move(stream));
    });
  }

  // What is in the way of the point, and then the misdeed is armed.
  void bring_about() {
    if (cell_.point == Point::idle) first_->arm();
    if (cell_.point == Point::first_use || cell_.point == Point::idle || cell_.point == Point::quit) {
      deliver("before@example.org");
      ++stored_before_;
    }
    if (cell_.point == Point::idle) world_.advance(std::chrono::milliseconds(200));
    if (cell_.point == Point::connect) return fail_to_connect();
    if (cell_.point != Point::idle) first_->arm();
    if (cell_.point == Point::rset) {
      ask("MAIL FROM:<ann@example.org>\r\n");
      EXPECT_EQ(ask("RCPT TO:<bob@example.com>\r\n"), "250 2.1.5 Ok\r\n");
      ask("RSET\r\n");
      ++transactions_;
    }
    if (cell_.point == Point::quit) world_.advance(seconds(65));
  }

  void fail_to_connect() {
    using io::Error;
    if (cell_.misdeed == Misdeed::late) return world_.dialer.set_latency(seconds(cell_.has_backup ? 14 : 29));
    world_.dialer.fail(first_server, cell_.misdeed == Misdeed::closes   ? Error::refused
                                     : cell_.misdeed == Misdeed::resets ? Error::unreachable
                                                                        : Error::timed_out);
  }

  // What is answered, however long it takes.
  std::string ask(std::string_view octets) {
    std::string heard = world_.say(octets);
    Time limit = world_.loop.now() + seconds(300);
    while (heard.empty() && world_.loop.now() < limit && world_.loop.advance_to_next_timer()) heard = world_.heard();
    return heard;
  }

  std::string message(std::string_view id) const {
    std::string octets = "Message-ID: <" + std::string(id) + ">\r\n\r\n";
    bool is_long = cell_.point == Point::mid_content || cell_.point == Point::before_end;
    std::size_t least = is_long ? cell_.long_message_octets() : 0;
    do {
      octets += "a line like any other in this message\r\n";
    } while (octets.size() < least);
    return octets;
  }

  std::string send_content(std::string_view id) {
    std::string octets = message(id);
    if (cell_.client_chunks) return ask("BDAT " + std::to_string(octets.size()) + " LAST\r\n" + octets);
    std::string go_ahead = ask("DATA\r\n");
    if (!go_ahead.starts_with("354 ")) return go_ahead;
    return ask(octets + ".\r\n");
  }

  void deliver(std::string_view id) {
    ++transactions_;
    EXPECT_EQ(ask("MAIL FROM:<ann@example.org>\r\n"), "250 2.1.0 Ok\r\n");
    EXPECT_EQ(ask("RCPT TO:<bob@example.com>\r\n"), "250 2.1.5 Ok\r\n");
    EXPECT_EQ(ask("RCPT TO:<carol@example.com>\r\n"), "250 2.1.5 Ok\r\n");
    EXPECT_EQ(send_content(id), taken);
    EXPECT_EQ(stored(id), 1);
  }

  void first_attempt() {
    ++transactions_;
    bool is_rescued = expected_.may_use_backup && cell_.has_backup;
    if (is_rescued) expected_.first_rcpt = well;
    if (is_rescued && expected_.is_answer) expected_.kinds.clear();
    EXPECT_EQ(ask("MAIL FROM:<ann@example.org>\r\n"), "250 2.1.0 Ok\r\n");
    expect_answer(ask("RCPT TO:<bob@example.com>\r\n"), expected_.first_rcpt);
    // Whoever was told to come again comes again later.
    if (expected_.first_rcpt != well) recover();
    expect_answer(ask("RCPT TO:<carol@example.com>\r\n"), expected_.second_rcpt);
    std::string told = send_content("the@example.org");
    expect_answer(told, expected_.final);
    bool was_told_yes = told.starts_with("2");
    bool is_unknown = std::count(expected_.kinds.begin(), expected_.kinds.end(), "outcome_unknown") > 0;
    stored_first_ = stored("the@example.org");
    if (was_told_yes) {
      EXPECT_EQ(stored_first_, 1);
    } else if (!is_logged_unknown()) {
      EXPECT_EQ(stored_first_, 0) << "stored, refused, and nobody will ever know";
    }
    if (is_unknown) {
      EXPECT_TRUE(is_logged_unknown());
    }
    EXPECT_EQ(std::size_t(mails_of(backup_)), is_rescued ? 1u : 0u);
    if (cell_.point != Point::connect && cell_.point != Point::rset) {
      EXPECT_TRUE(first_->has_done_wrong());
    }
  }

  static void expect_answer(const std::string& told, std::string_view begin) {
    EXPECT_TRUE(told.starts_with(begin)) << "told: " << told << "instead of: " << begin;
    EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 1) << told;
  }

  static int mails_of(const FakeUpstream& server) {
    return static_cast<int>(std::count_if(server.commands.begin(), server.commands.end(),
                                          [](const std::string& line) { return line.starts_with("MAIL "); }));
  }
  int stored(std::string_view id) const {
    auto has_it = [&](const FakeUpstream::Stored& mail) { return mail.content.find(id) != std::string::npos; };
    return static_cast<int>(std::count_if(world_.upstream.stored.begin(), world_.upstream.stored.end(), has_it) +
                            std::count_if(backup_.stored.begin(), backup_.stored.end(), has_it));
  }
  bool is_logged_unknown() const { return !world_.log.find("kind=outcome_unknown").empty(); }

  void check_record() {
    std::map<std::string, std::uint64_t> wanted;
    for (const std::string& kind : expected_.kinds) ++wanted[kind];
    // Whether the end had been written when the early reply was noticed depends on how much the server had read.
    if (wanted.count("upstream_early") && is_logged_unknown()) ++wanted["outcome_unknown"];
    std::map<std::string, std::uint64_t> counted;
    for (auto kind : {Violation::upstream_protocol, Violation::upstream_early}) {
      if (std::uint64_t count = world_.counters.get(kind)) counted[std::string(sallyport::name(kind))] = count;
    }
    for (std::size_t i = 0; i < std::size_t(Fault::count_); ++i) {
      if (std::uint64_t count = world_.counters.get(Fault(i))) counted[std::string(sallyport::name(Fault(i)))] = count;
    }
    EXPECT_EQ(counted, wanted);
    auto lines = std::count_if(world_.log.lines.begin(), world_.log.lines.end(), [](const std::string& line) {
      return line.find("event=transaction") != std::string::npos;
    });
    EXPECT_EQ(lines, transactions_);
  }

  void recover() {
    if (cell_.point == Point::connect) serve_first();
    world_.advance(seconds(5));  // U16
  }

  // The client comes again, as told or with its next message.
  void send_again() {
    recover();
    deliver("next@example.org");
    EXPECT_EQ(stored("the@example.org"), stored_first_);
    EXPECT_EQ(stored("before@example.org"), stored_before_);
    EXPECT_EQ(ask("QUIT\r\n").substr(0, 4), "221 ");
    EXPECT_TRUE(world_.is_over());
    // The invariants shall see what both servers have seen.
    auto& secured = world_.upstream.secured;
    secured.insert(secured.end(), backup_.secured.begin(), backup_.secured.end());
  }

  Cell cell_;
  Expected expected_;
  std::unique_ptr<FaultyUpstream> first_;
  FakeUpstream backup_;
  World world_;
  int transactions_ = 0;
  int stored_first_ = 0;
  int stored_before_ = 0;
};

class UpstreamMatrix : public testing::TestWithParam<std::pair<Point, Misdeed>> {};

TEST_P(UpstreamMatrix, TheClientIsToldTheTruth) {
  auto [point, misdeed] = GetParam();
  for (Kind upstream : {Kind::plain, Kind::pipelining, Kind::chunking}) {
    for (int choice = 0; choice < 8; ++choice) {
      Cell cell{point, misdeed, upstream, (choice & 1) != 0, (choice & 2) != 0, (choice & 4) != 0};
      if (!exists(cell)) continue;
      SCOPED_TRACE("upstream=" + std::to_string(int(upstream)) +
                   " client_chunks=" + std::to_string(cell.client_chunks) +
                   " backup=" + std::to_string(cell.has_backup) + " stores=" + std::to_string(cell.stores_first));
      Play(cell).run();
      if (HasFailure()) return;
    }
  }
}

std::vector<std::pair<Point, Misdeed>> all_faults() {
  std::vector<std::pair<Point, Misdeed>> all;
  for (int point = 0; point <= int(Point::quit); ++point) {
    for (int misdeed = 0; misdeed <= int(Misdeed::says_more); ++misdeed) {
      if (exists(Point(point), Misdeed(misdeed))) all.emplace_back(Point(point), Misdeed(misdeed));
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Every, UpstreamMatrix, testing::ValuesIn(all_faults()), [](const auto& cell) {
  return std::string(name(cell.param.first)) + "_" + std::string(name(cell.param.second));
});

}  // namespace
}  // namespace sallyport::upstream
