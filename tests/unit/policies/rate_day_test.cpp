// A day of a large provider's mail, and a botnet that forges the provider's domain, against the rates as shipped: the
// policy's own gatherings and judge, the embedded store, and time that the test moves.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "gateway/state/rate_table.h"
#include "policies/rate/rate.h"
#include "policies/spf/facts.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t mails_of_a_day = 20000;
constexpr std::size_t mails_a_minute = 300;
constexpr int addresses = 12;

class RateDay : public testing::Test {
 protected:
  // One mail over a connection of its own. True when nothing of it was limited.
  bool deliver(const std::string& ip, const std::string& domain, AuthResult spf, int recipients = 1) {
    const auto of_connection = gatherer_->begin();
    Facts facts;
    Transaction mail = mail_of(ip.c_str());
    if (!passes(*of_connection, Stage::connect, mail, facts)) return false;
    const auto of_mail = gatherer_->begin();
    mail.from = address("newsletter", domain);
    SpfFacts found;
    found.mailfrom.emplace();
    found.mailfrom->result = spf;
    found.mailfrom->domain = domain;
    facts.put(found);
    if (!passes(*of_mail, Stage::mail, mail, facts)) return false;
    bool all = true;
    for (int i = 0; i < recipients; ++i) {
      mail.rcpt = address("user" + std::to_string(i), "example.net");
      const bool accepted = passes(*of_mail, Stage::rcpt, mail, facts);
      of_mail->recipient_answered(accepted);
      all = all && accepted;
    }
    return all;
  }

  std::string provider() {
    return "192.0.2." + std::to_string(std::uniform_int_distribution(10, 9 + addresses)(random_));
  }
  void move(Duration time) { now_ += time; }

  std::mt19937 random_{20000};
  Time now_{1h};
  state::RateTable table_{{1u << 16, 8, HashKey{1, 2}}, [this] { return now_; }};
  RateSettings settings_;

 private:
  bool passes(Gathering& gathering, Stage stage, const Transaction& mail, Facts& facts) {
    world_.gather(gathering, stage, mail, facts);
    return judge(rate_entry, stage, mail, facts, settings_).empty();
  }

  PolicyWorld world_;
  std::unique_ptr<Gatherer> gatherer_ =
      std::move(rate_entry.prepare(&settings_, GathererParts{world_.learned, table_, world_.suffixes, world_.own}))
          .value();
};

// Half of the day's mail comes within two hours, in bursts of ten minutes.
TEST_F(RateDay, ALargeProviderIsNeverLimited) {
  std::size_t limited = 0;
  std::size_t sent = 0;
  const auto burst = [&](Duration length) {
    for (Duration passed{}; passed < length && sent < mails_of_a_day; passed += 1min) {
      for (std::size_t i = 0; i < mails_a_minute && sent < mails_of_a_day; ++i, ++sent) {
        limited += !deliver(provider(), "provider.example", AuthResult::pass, i % 4 == 0 ? 2 : 1);
        move(Duration(1min) / mails_a_minute);
      }
    }
  };
  for (int i = 0; i < 4; ++i) {
    burst(10min);
    move(20min);
  }
  for (int hour = 0; hour < 20; ++hour) {
    burst(2min);
    move(58min);
  }
  EXPECT_EQ(limited, 0u) << "of " << sent;
  EXPECT_EQ(sent, mails_of_a_day);
}

TEST_F(RateDay, NorWhenAllOfADayComesAtOnce) {
  std::size_t limited = 0;
  for (std::size_t i = 0; i < mails_of_a_day; ++i) {
    limited += !deliver(provider(), "provider.example", AuthResult::pass);
    move(Duration(1min) / mails_a_minute);
  }
  EXPECT_EQ(limited, 0u);
}

// Two thousand addresses name the provider as the sender, for half an hour, while its own mail comes in.
TEST_F(RateDay, ABotnetThatForgesItTakesNothingFromIt) {
  std::map<std::string, std::size_t> of_bot;
  std::size_t limited = 0;
  const AuthResult forged[] = {AuthResult::fail, AuthResult::softfail, AuthResult::none, AuthResult::temperror};
  for (int minute = 0; minute < 30; ++minute) {
    for (int bot = 0; bot < 2000; ++bot) {
      const std::string ip = "10.0." + std::to_string(bot / 250) + '.' + std::to_string(bot % 250 + 1);
      // A few do it as fast as they can, the others patiently.
      const int mails = bot < 20 ? 40 : minute % 10 == 0 ? 1 : 0;
      for (int i = 0; i < mails; ++i) of_bot[ip] += deliver(ip, "provider.example", forged[bot % 4]);
    }
    for (std::size_t i = 0; i < mails_a_minute; ++i) {
      limited += !deliver(provider(), "provider.example", AuthResult::pass);
    }
    move(1min);
  }
  EXPECT_EQ(limited, 0u);
  EXPECT_EQ(of_bot["10.0.0.1"], 100u + 29 * 5) << "the burst, and five a minute";
  EXPECT_EQ(of_bot["10.0.7.250"], 3u);
}

// The same for recipients, of whom a mail may have many.
TEST_F(RateDay, AForgersRecipientsCountForHimself) {
  int accepted = 0;
  for (int i = 0; i < 55; ++i) accepted += deliver("203.0.113.9", "provider.example", AuthResult::fail, 20);
  EXPECT_EQ(accepted, 50) << "a thousand recipients";
  int own = 0;
  for (int i = 0; i < 1010; ++i) {
    own += deliver("192.0.2." + std::to_string(i / 50 + 1), "provider.example", AuthResult::pass, 10);
  }
  EXPECT_EQ(own, 1000) << "all of the domain's allowance, and no more";
}

}  // namespace
}  // namespace sallyport::policies
