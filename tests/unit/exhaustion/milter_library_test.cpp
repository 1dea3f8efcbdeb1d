// R7 for the library that milters run on: whatever allocation fails while it serves a connection, the MTA hears a
// beginning of what it would have heard, whole packets and no verdict that rests on what failed; xxfi_abort and
// xxfi_close come as ever, and the next connection is served as ever.
#include <gtest/gtest.h>
#include <libmilter/mfapi.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <new>

#include "gateway/milter/packet.h"
#include "gateway/milter_library/session.h"
#include "tests/unit/exhaustion/injector.h"

namespace sallyport::exhaustion {
namespace {

using namespace std::string_literals;
using milter_library::Session;

std::vector<std::string> calls;

template <class... Parts>
void note(const Parts&... parts) {
  const Exempt exempt;
  std::string call;
  ((call += parts), ...);
  calls.push_back(call);
}

char* text(const char* value) { return const_cast<char*>(value); }

// Believes what the library tells it, and looks at no result: the worst that a filter may be.
sfsistat on_negotiate(SMFICTX* context, unsigned long, unsigned long, unsigned long, unsigned long, unsigned long*,
                      unsigned long*, unsigned long*, unsigned long*) {
  note("negotiate");
  smfi_setsymlist(context, SMFIM_ENVFROM, text("i {auth_authen} {mail_addr} {mail_host}"));
  smfi_setsymlist(context, SMFIM_ENVRCPT, text("{rcpt_addr} {rcpt_host} {rcpt_mailer}"));
  return SMFIS_CONTINUE;
}
sfsistat on_connect(SMFICTX* context, char* host, ::sockaddr*) {
  note("connect ", host);
  smfi_setpriv(context, nullptr);
  return smfi_getsymval(context, text("{daemon_name}")) != nullptr ? SMFIS_CONTINUE : SMFIS_ACCEPT;
}
sfsistat on_helo(SMFICTX*, char* name) {
  note("helo ", name);
  return SMFIS_CONTINUE;
}
// Who has not given a password may not send: a macro that was not found makes a verdict.
sfsistat on_envfrom(SMFICTX* context, char** words) {
  note("envfrom ", *words);
  return smfi_getsymval(context, text("{auth_authen}")) != nullptr ? SMFIS_CONTINUE : SMFIS_REJECT;
}
sfsistat on_envrcpt(SMFICTX* context, char** words) {
  note("envrcpt ", *words);
  if (std::string_view(*words).starts_with("<good")) return SMFIS_CONTINUE;
  smfi_setmlreply(context, "550", "5.1.1", "There is nobody of that name here,", "and there has never been anybody",
                  static_cast<char*>(nullptr));
  return SMFIS_REJECT;
}
sfsistat on_data(SMFICTX*) {
  note("data");
  return SMFIS_CONTINUE;
}
sfsistat on_header(SMFICTX*, char* name, char* value) {
  note("header ", name, ' ', value);
  return SMFIS_CONTINUE;
}
sfsistat on_eoh(SMFICTX*) {
  note("eoh");
  return SMFIS_CONTINUE;
}
sfsistat on_body(SMFICTX*, unsigned char*, std::size_t size) {
  note("body of ", std::to_string(size));
  return SMFIS_CONTINUE;
}
sfsistat on_eom(SMFICTX* context) {
  note("eom");
  static std::array<unsigned char, 200'000> body{};
  smfi_addheader(context, text("Authentication-Results"), text("mx.test.example; auth=pass and more of it"));
  smfi_insheader(context, 0, text("X-Virus-Scanned"), text("yes, and nothing was found in it"));
  smfi_chgheader(context, text("Subject"), 1, text("[marked] a subject of more octets than before"));
  smfi_chgfrom(context, text("<somebody.else@sender.example>"), text("SIZE=1000 BODY=8BITMIME"));
  smfi_addrcpt(context, text("<archive@another.test.example>"));
  smfi_addrcpt_par(context, text("<archive@another.test.example>"), text("NOTIFY=NEVER"));
  smfi_delrcpt(context, text("<good.recipient@test.example>"));
  smfi_replacebody(context, body.data(), static_cast<int>(body.size()));
  smfi_progress(context);
  smfi_quarantine(context, text("somebody should look at this one"));
  smfi_setreply(context, text("451"), text("4.7.1"), text("Come again in a quarter of an hour"));
  return smfi_getsymval(context, text("i")) != nullptr ? SMFIS_TEMPFAIL : SMFIS_ACCEPT;
}
sfsistat on_abort(SMFICTX*) {
  note("abort");
  return SMFIS_CONTINUE;
}
sfsistat on_close(SMFICTX*) {
  note("close");
  return SMFIS_CONTINUE;
}
sfsistat on_unknown(SMFICTX*, const char* line) {
  note("unknown ", line);
  return SMFIS_CONTINUE;
}

smfiDesc believer() {
  return {text("believer"), SMFI_VERSION, SMFI_CURR_ACTS, on_connect, on_helo,  on_envfrom, on_envrcpt, on_header,
          on_eoh,           on_body,      on_eom,         on_abort,   on_close, on_unknown, on_data,    on_negotiate};
}

// What an MTA sends: two messages, another SMTP connection on the same one, and the end in the middle of a message.
struct Said {
  char letter;
  std::string data;
};
const std::vector<Said> script = {
    {'O', "\0\0\0\6\0\0\x1\xff\0\x1f\xff\xff"s},
    {'D', "Cj\0mx.test.example\0{daemon_name}\0the name of a daemon\0"s},
    {'C', "client.of.some.example\0006\x30\x39"s + "2001:db8:1234:5678:9abc:def0:1234:5678\0"s},
    {'H', "client.of.some.example\0"s},
    {'U', "A COMMAND THAT IS NONE\0"s},
    {'D', "Mi\0QUEUE-ID-OF-THE-FIRST\0{auth_authen}\0ann\0"s},
    {'M', "<ann.with.a.long.name@sender.example>\0SIZE=1000\0BODY=8BITMIME\0"s},
    {'D', "R{rcpt_addr}\0nobody.at.all@test.example\0"s},
    {'R', "<nobody.at.all@test.example>\0"s},
    {'R', "<good.recipient@test.example>\0NOTIFY=NEVER\0"s},
    {'T', ""},
    {'L', "Subject\0a subject of some octets\0"s},
    {'N', ""},
    {'B', "some octets of the body\r\n"},
    {'D', "Ei\0QUEUE-ID-OF-THE-FIRST\0"s},
    {'E', "and the last octets of it\r\n"},
    {'M', "<bob.with.a.long.name@sender.example>\0"s},
    {'A', ""},
    {'K', ""},
    {'D', "C{daemon_name}\0the name of another daemon\0"s},
    {'C', "another.client.of.some.example\0U"s},
    {'D', "M{auth_authen}\0bob\0"s},
    {'M', "<bob.with.a.long.name@sender.example>\0"s},
    {'R', "<good.recipient@test.example>\0"s},
    {'L', "Subject\0another subject of some octets\0"s},
    {'Q', ""},
};

class Mta final : public milter_library::SessionHost {
 public:
  using SessionHost::SessionHost;
  bool send() override {
    const Exempt exempt;
    heard += std::exchange(answers, {});
    return true;
  }
  void report(std::string_view) override {}
  std::string heard;
};

struct Played {
  std::string heard;
  std::vector<std::string> calls;
  bool was_in_message = false;
  std::uint64_t failures = 0;
};

Played play(const milter_library::Filter& filter, Plan plan) {
  calls.clear();
  Played played;
  Mta mta(filter);
  Session session;
  {
    const Failing failing(plan);
    for (const Said& said : script) {
      std::string data;
      {
        const Exempt exempt;
        data = said.data;
      }
      try {
        if (!session.take({said.letter, data}, mta)) break;
      } catch (const std::bad_alloc&) {
        mta.answers.clear();  // what a holder does
        break;
      }
      mta.send();
    }
    played.was_in_message = session.is_in_message();
    session.finish(mta);
    played.failures = failing.failures();
  }
  mta.send();
  played.heard = mta.heard;
  played.calls = calls;
  return played;
}

// True when it is packets, all of them whole.
bool is_whole_packets(std::string_view octets) {
  milter::PacketReader reader;
  while (!octets.empty()) {
    if (reader.read(octets) != milter::PacketReader::Status::packet) return false;
  }
  return !reader.is_in_packet();
}

void expect_truth(const Played& played, const Played& whole) {
  EXPECT_TRUE(whole.heard.starts_with(played.heard)) << "something else was said";
  EXPECT_LT(played.heard.size(), whole.heard.size());
  EXPECT_TRUE(is_whole_packets(played.heard));
  std::vector<std::string> made = played.calls;
  ASSERT_FALSE(made.empty());
  EXPECT_EQ(made.back(), "close");
  made.pop_back();
  const bool is_aborted = !made.empty() && made.back() == "abort";
  if (played.was_in_message) {
    EXPECT_TRUE(is_aborted);
    if (is_aborted) made.pop_back();
  }
  ASSERT_LE(made.size(), whole.calls.size());
  EXPECT_TRUE(std::equal(made.begin(), made.end(), whole.calls.begin()));
}

class MilterExhaustion : public testing::TestWithParam<std::uint64_t> {};

// One allocation fails, each in its turn, and with another parameter all that follow too.
TEST_P(MilterExhaustion, CostsTheConnectionAndTellsNoUntruth) {
  const auto filter = *milter_library::make_filter(believer());
  const Played whole = play(filter, {});
  ASSERT_EQ(whole.calls.back(), "close");
  ASSERT_EQ(std::count(whole.calls.begin(), whole.calls.end(), "eom"), 1);
  ASSERT_TRUE(is_whole_packets(whole.heard));
  std::uint64_t failed = 0;
  for (std::uint64_t first = 1;; ++first) {
    SCOPED_TRACE("from allocation " + std::to_string(first));
    const Played played = play(filter, {.first = first, .every = GetParam()});
    if (played.failures == 0) break;
    ++failed;
    expect_truth(played, whole);
    const Played next = play(filter, {});
    ASSERT_EQ(next.heard, whole.heard);
    ASSERT_EQ(next.calls, whole.calls);
    if (HasFailure()) return;
  }
  EXPECT_GT(failed, 40U);
}
INSTANTIATE_TEST_SUITE_P(OneOrAll, MilterExhaustion, testing::Values(0U, 1U));

// What is called before a filter serves: it fails as a whole, and can be done again.
TEST(MilterSetup, FailsAsAWhole) {
  char folder[] = "/tmp/sallyport-milter-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string path = std::string(folder) + "/socket-of-a-filter";
  std::string place = "unix:" + path;
  const auto set_up = [&] {
    return smfi_setconn(place.data()) == MI_SUCCESS && smfi_register(believer()) == MI_SUCCESS &&
           smfi_opensocket(true) == MI_SUCCESS;
  };
  for (std::uint64_t first = 1;; ++first) {
    bool is_done = false;
    std::uint64_t failures = 0;
    {
      const Failing failing({.first = first});
      is_done = set_up();
      failures = failing.failures();
    }
    ASSERT_EQ(is_done, failures == 0) << first;
    if (is_done) break;
  }
  ::unlink(path.c_str());
  ::rmdir(folder);
}

}  // namespace
}  // namespace sallyport::exhaustion
