// R7: whatever allocation fails, the client is told the truth, nothing but its session ends, and the next one is served
// as ever.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "gateway/base/text.h"
#include "tests/unit/exhaustion/client.h"

namespace sallyport::exhaustion {
namespace {

struct Mail {
  std::string name;
  std::vector<Step> script;
  RigOptions options{};
  std::size_t stored = 1;  // how many the upstream stores when all goes well
  std::string from = "192.0.2.1:1234";
};

std::string content(std::string_view subject, std::size_t octets = 200) {
  std::string whole = "From: <ann@example.org>\r\nMessage-ID: <1@example.org>\r\nSubject: ";
  whole.append(subject).append("\r\n\r\n");
  while (whole.size() < octets) whole += "A line of a message, and others like it.\r\n";
  return whole;
}

const Step say_ehlo{"EHLO client.example\r\n", {"250"}};
const Step say_mail{"MAIL FROM:<ann@example.org>\r\n", {"250"}};
const Step say_rcpt{"RCPT TO:<bob@example.com>\r\n", {"250"}};
const Step say_data{"DATA\r\n", {"354"}};
const Step say_quit{"QUIT\r\n", {"221"}};
const Step say_starttls{"STARTTLS\r\n", {"220"}};
const Step say_nobody{"RCPT TO:<nobody@example.com>\r\n", {"550"}};

Step text_of(std::string_view text, std::string code = "250") {
  return {std::string(text) + ".\r\n", {std::move(code)}};
}
Step chunk(std::string_view text, bool last) {
  return {"BDAT " + std::to_string(text.size()) + (last ? " LAST" : "") + "\r\n" + std::string(text), {"250"}};
}

std::vector<Mail> all_mails() {
  const std::string small = content("small");
  const std::string large = content("large", 60'000);  // more than memory_per_message
  const std::string_view head = std::string_view(small).substr(0, 50), tail = std::string_view(small).substr(50);
  RigOptions chunking{.upstream_chunking = true};
  return {
      {"data", {say_ehlo, say_mail, say_rcpt, say_data, text_of(small), say_quit}},
      {"recipients",
       {say_ehlo,
        say_mail,
        say_rcpt,
        {"RCPT TO:<carol@example.com>\r\n", {"250"}},
        say_nobody,
        say_data,
        text_of(small),
        say_quit}},
      {"refused recipient", {say_ehlo, say_mail, say_nobody, {"DATA\r\n", {"554"}}, say_quit}, {}, 0},
      {"foreign recipient",
       {say_ehlo, say_mail, {"RCPT TO:<x@elsewhere.example>\r\n", {"550"}}, say_rcpt, say_data, text_of(small)}},
      {"chunk", {say_ehlo, say_mail, say_rcpt, chunk(small, true), say_quit}},
      {"chunks", {say_ehlo, say_mail, say_rcpt, chunk(head, false), chunk(tail, false), chunk("", true), say_quit}},
      {"chunk to chunk", {say_ehlo, say_mail, say_rcpt, chunk(small, true), say_quit}, chunking},
      {"spooled", {say_ehlo, say_mail, say_rcpt, say_data, text_of(large), say_quit}},
      {"spooled chunks", {say_ehlo, say_mail, say_rcpt, chunk(large, false), chunk(large, true), say_quit}, chunking},
      {"tls", {say_ehlo, say_starttls, say_ehlo, say_mail, say_rcpt, say_data, text_of(small), say_quit}},
      {"tls, spooled chunk", {say_ehlo, say_starttls, say_ehlo, say_mail, say_rcpt, chunk(large, true), say_quit}},
      {"tls behind", {say_ehlo, say_mail, say_rcpt, say_data, text_of(small), say_quit}, {.upstream_tls = true}},
      {"pipelined",
       {say_ehlo,
        {say_mail.say + say_rcpt.say + say_nobody.say + say_data.say, {"250", "250", "550", "354"}},
        text_of(small),
        say_quit}},
      {"two mails",
       {say_ehlo, say_mail, say_rcpt, say_data, text_of(small), say_mail, say_rcpt, chunk(small, true), say_quit},
       {},
       2},
      {"after RSET",
       {say_ehlo, say_mail, say_rcpt, {"RSET\r\n", {"250"}}, say_mail, say_rcpt, say_data, text_of(small), say_quit}},
      {"helo", {{"HELO client.example\r\n", {"250"}}, say_mail, say_rcpt, say_data, text_of(small), say_quit}},
      {"bare line ends",
       {say_ehlo, say_mail, say_rcpt, say_data, text_of(content("mended") + "one\ntwo\rthree\r\n"), say_quit}},
      {"refused by a rule",
       {say_ehlo, say_mail, say_rcpt, say_data, text_of(content("refuse"), "550"), say_quit},
       {},
       0},
      {"tagged by a rule", {say_ehlo, say_mail, say_rcpt, say_data, text_of(content("tag")), say_quit}},
      {"discarded by a rule", {say_ehlo, say_mail, say_rcpt, say_data, text_of(content("discard")), say_quit}, {}, 0},
      {"listed", {say_ehlo, say_mail, {say_rcpt.say, {"550"}}, say_quit}, {}, 0, "192.0.2.9:1234"},
      {"refused at its end",
       {say_ehlo, say_mail, say_rcpt, say_data, text_of(small, "554"), say_quit},
       {.end_reply = "554 5.6.0 No"},
       0},
      {"lost at its end",
       {say_ehlo, say_mail, say_rcpt, say_data, text_of(small, "451"), say_quit},
       {.end_reply = "close"}},
  };
}

// I1 and U13: what the client was told, what the upstream has and what the log says fit together. A message whose
// acceptance is a rule's needs no upstream.
void expect_truth(const Rig& rig, const Mail& mail, const Outcome& outcome) {
  auto accepted =
      static_cast<std::size_t>(std::count(outcome.replies.begin(), outcome.replies.end(), "250 2.0.0 Stored"));
  std::size_t untold = rig.log.count("kind=outcome_unknown") + rig.log.count("check=reply_lost");
  EXPECT_LE(accepted, rig.stored.size()) << "a false 250";
  EXPECT_LE(rig.stored.size(), mail.stored);
  EXPECT_LE(rig.stored.size() - accepted, untold) << "stored, and nobody was told:\n"
                                                  << text::join(rig.log.lines, "\n");
  // What was told as unknown may turn out well: a refusal nobody could read, a 250 that went out with the last words.
  EXPECT_LE(untold, 1u);
}

// What the upstream stored, less our own header, which bears ids.
std::vector<std::string> bodies(const Rig& rig) {
  std::vector<std::string> found;
  for (const std::string& whole : rig.stored) found.push_back(whole.substr(whole.find("\r\n\r\n")));
  return found;
}

std::uint64_t faults(const Rig& rig) {
  std::uint64_t sum = 0;
  for (std::size_t kind = 0; kind < static_cast<std::size_t>(Fault::count_); ++kind) {
    sum += rig.counters.get(static_cast<Fault>(kind));
  }
  return sum;
}

// One mail with this plan, in a gateway of its own; gives the allocations it asked for.
struct Trial {
  std::uint64_t allocations = 0;
  std::vector<std::string> bodies;
  Outcome outcome;
};

void expect_service(Rig& rig) {
  rig.let_time_pass(std::chrono::seconds(10));  // a failure may have opened the upstream's breaker, or be in a cache
  rig.stored.clear();
  const Mail next{"next",
                  {say_ehlo, say_starttls, say_ehlo, say_mail, say_rcpt, chunk(content("next"), true), say_quit}};
  Outcome outcome = converse(rig, next.script, *SocketAddress::parse(next.from));
  EXPECT_EQ(outcome.fault, "");
  // The upstream may be one that fails at the end; it is asked, and that is what counts.
  EXPECT_GE(outcome.replies.size(), 7u) << (outcome.replies.empty() ? "" : outcome.replies.back());
}

Trial try_mail(const Mail& mail, Plan plan) {
  Trial trial;
  Rig rig(mail.options);
  {
    Failing failing(plan);
    trial.outcome = converse(rig, mail.script, *SocketAddress::parse(mail.from));
    EXPECT_TRUE(rig.end_sessions()) << "a session does not end";
    trial.allocations = failing.allocations();
  }
  EXPECT_EQ(trial.outcome.fault, "");
  // A check that could not be made is told (I9): who is listed hears 550, or 4xx, and never that all is well.
  const bool is_put_off = std::any_of(trial.outcome.replies.begin(), trial.outcome.replies.end(),
                                      [](const std::string& reply) { return reply.starts_with("4"); });
  if (is_put_off) EXPECT_GT(faults(rig), 0u);
  expect_truth(rig, mail, trial.outcome);
  trial.bodies = bodies(rig);
  rig.let_time_pass(std::chrono::minutes(2));  // whatever is pending comes to its end; kept connections are let go
  EXPECT_EQ(rig.inconsistency(), "");
  if (mail.options.end_reply.starts_with("250")) expect_service(rig);
  rig.end_sessions();
  rig.let_time_pass(std::chrono::minutes(2));
  EXPECT_EQ(rig.inconsistency(), "");
  return trial;
}

// Every so manieth allocation of each mail is one that fails, by itself; 1 takes all of them.
std::uint64_t stride() {
  const char* asked = std::getenv("SALLYPORT_ALLOCATION_STRIDE");
  return asked ? std::max<std::uint64_t>(1, *text::to_number(asked)) : 7;
}

class Exhaustion : public testing::TestWithParam<std::size_t> {
 protected:
  Mail mail_ = all_mails()[GetParam()];
};

TEST_P(Exhaustion, OneFailedAllocationEndsOneSessionAtMost) {
  try_mail(mail_, {});  // what is made once and kept is there from now on
  const Trial clean = try_mail(mail_, {});
  ASSERT_TRUE(clean.outcome.as_expected);
  ASSERT_EQ(clean.bodies.size(), mail_.stored);
  std::uint64_t tried = 0;
  for (std::uint64_t first = 1 + GetParam() % stride(); first <= clean.allocations; first += stride()) {
    SCOPED_TRACE(mail_.name + ": allocation " + std::to_string(first) + " of " + std::to_string(clean.allocations));
    const Trial trial = try_mail(mail_, {.first = first});
    for (std::size_t i = 0; i < trial.bodies.size() && i < clean.bodies.size(); ++i) {
      EXPECT_EQ(trial.bodies[i], clean.bodies[i]) << "not what the client sent";
    }
    ++tried;
    if (HasFailure()) return;  // one is enough to look into
  }
  RecordProperty("allocations", std::to_string(clean.allocations));
  RecordProperty("tried", std::to_string(tried));
}

TEST_P(Exhaustion, EveryNthAllocationFails) {
  for (std::uint64_t every : {1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610}) {
    SCOPED_TRACE(mail_.name + ": every " + std::to_string(every) + "th");
    Rig rig(mail_.options);
    Outcome outcome;
    {
      Failing failing({.first = every, .every = every});
      outcome = converse(rig, mail_.script, *SocketAddress::parse(mail_.from));
      EXPECT_TRUE(rig.end_sessions()) << "a session does not end";
    }
    EXPECT_EQ(outcome.fault, "");
    auto accepted = std::count(outcome.replies.begin(), outcome.replies.end(), "250 2.0.0 Stored");
    EXPECT_LE(static_cast<std::size_t>(accepted), rig.stored.size()) << "a false 250";
    rig.let_time_pass(std::chrono::minutes(2));
    EXPECT_EQ(rig.inconsistency(), "");
    if (mail_.options.end_reply.starts_with("250")) expect_service(rig);
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Mails, Exhaustion, testing::Range<std::size_t>(0, all_mails().size()), [](const auto& info) {
  std::string name = all_mails()[info.param].name;
  std::erase_if(name, [](char c) { return !text::is_alnum(c); });
  return name;
});

}  // namespace
}  // namespace sallyport::exhaustion
