// A discard is the one mail whose 2xx is ours: the client hears it only when the log has taken the record (threats.md
// I1).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/session/world.h"

namespace sallyport::record {
namespace {

using namespace session;

using testing::StartsWith;

class Bin final : public TestPolicy {
 public:
  std::string_view name() const override { return "bin"; }
  void judge(policies::Stage stage, const policies::Transaction&, const policies::Facts&,
             policies::Verdicts& out) const override {
    policies::Verdict verdict;
    if (stage == policies::Stage::message) verdict.action = policies::Action::discard;
    verdict.because = "noise";
    out.add(std::move(verdict));
  }
};

// Loses lines as long as it is full, and counts them as the real log does.
class FillingLog final : public RecordSink {
 public:
  FillingLog(World& world) : world_(world), line_(world.log, world.counters) {}
  bool take(const MailRecord& record) noexcept override {
    if (is_full && record.outcome == Outcome::discard) {
      world_.counters.add(Fault::log);
      return false;
    }
    return line_.take(record);
  }
  bool is_full = false;

 private:
  World& world_;
  LogLine line_;
};

class Discard : public testing::Test {
 protected:
  void begin() {
    world.add(std::make_unique<Bin>());
    world.greet();
    world.host->sinks.front() = &log;
  }
  std::string mail() {
    world.say("MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.com>\r\n");
    world.say("DATA\r\n");
    return world.say("Subject: x\r\n\r\nhello\r\n.\r\n");
  }

  World world;
  FillingLog log{world};
};

TEST_F(Discard, IsAcknowledgedWhenItIsInTheLog) {
  begin();
  EXPECT_THAT(mail(), StartsWith("250 2.0.0 Ok (id "));
  EXPECT_NE(world.log.find("event=transaction").find("verdict=discard"), std::string::npos);
  EXPECT_EQ(world.counters.get(Total::discarded), 1u);
}

TEST_F(Discard, IsPutOffWhenTheLogIsFull) {
  begin();
  log.is_full = true;
  EXPECT_THAT(mail(), StartsWith("451 4.3.0 The message could not be recorded, try again later (id "));
  EXPECT_EQ(world.log.find("verdict=discard"), "");
  const std::string line = world.log.find("event=transaction");
  EXPECT_NE(line.find("verdict=tempfail stage=message code=451 dsn=4.3.0 check=log"), std::string::npos) << line;
  EXPECT_EQ(world.counters.get(Total::discarded), 0u);
  EXPECT_EQ(world.counters.get(Total::tempfailed), 1u);
  EXPECT_EQ(world.upstream.stored.size(), 0u);

  log.is_full = false;
  EXPECT_THAT(mail(), StartsWith("250 2.0.0 Ok (id "));
}

}  // namespace
}  // namespace sallyport::record
