// What a policy finds around it in these tests, and the ways of a mail through one policy.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "gateway/base/counters.h"
#include "policies/api/entry.h"
#include "tests/support/lines_log.h"
#include "tests/support/manual_loop.h"
#include "tests/support/table_resolver.h"

namespace sallyport::policies {

// Allows everything but what a test has named as used up, and keeps the keys that were asked for.
class FakeRates final : public io::RateStore {
 public:
  Task<io::RateAnswer> take(std::string key, Rate) override {
    keys.push_back(key);
    if (used_up.contains(key)) co_return io::RateAnswer{false, std::chrono::milliseconds(1500)};
    co_return io::RateAnswer{};
  }

  void give_back(std::string_view key, const Rate&) noexcept override { given_back.emplace_back(key); }

  std::vector<std::string> keys;
  std::vector<std::string> given_back;
  std::set<std::string> used_up;
};

template <class S>
concept SettingsStruct = std::is_class_v<S>;

struct PolicyWorld {
  GatherContext context() {
    return {loop.scheduler(), resolver, counters, log, loop.now() + std::chrono::seconds(20), body_hashes};
  }
  GathererParts parts() { return {learned, rates, suffixes, own, tenant}; }

  // A failure is a failure of the test.
  std::unique_ptr<Gatherer> prepare(const PolicyEntry& entry, const void* settings) {
    return std::move(entry.prepare(settings, parts())).value();
  }
  template <SettingsStruct S>
  std::unique_ptr<Gatherer> prepare(const PolicyEntry& entry, const S& settings) {
    return prepare(entry, static_cast<const void*>(&settings));
  }
  void self_test(const Gatherer& gatherer) { loop.run_until_done(gatherer.self_test(context())); }
  void gather(Gathering& gathering, Stage stage, const Transaction& mail, Facts& facts) {
    const GatherContext now = context();
    loop.run_until_done(gathering.gather(stage, mail, facts, now));
  }
  // At one stage, by a gathering of its own.
  void gather(const Gatherer& gatherer, Stage stage, const Transaction& mail, Facts& facts) {
    gather(*gatherer.begin(), stage, mail, facts);
  }
  // The end of a mail: its body is hashed octet by octet as the gathering wants it, then stage message is gathered.
  void gather_message(const Gatherer& gatherer, const Transaction& mail, std::string_view body, Facts& facts) {
    const std::unique_ptr<Gathering> gathering = gatherer.begin();
    signature::BodyHasher hasher(gathering->body_forms(mail));
    for (const char& octet : body) hasher.feed({&octet, 1});
    body_hashes = hasher.finish();
    gather(*gathering, Stage::message, mail, facts);
  }

  support::ManualLoop loop;
  support::TableResolver resolver;
  Counters counters;
  support::LinesLog log;
  Learned learned;
  FakeRates rates;
  PublicSuffixList suffixes;
  std::string tenant;  // whose own settings prepare() is given; empty: everybody's
  OwnNames own{"mx.example.net", [](std::string_view domain) { return domain == "example.net"; }};
  std::vector<signature::BodyHash> body_hashes;
};

inline Transaction mail_of(const char* ip) {
  Transaction mail;
  mail.client.ip = *IpAddress::parse(ip);
  return mail;
}

inline MailAddress address(const std::string& local, const std::string& domain) { return {local, domain}; }

// The only thing that was said; a verdict that says nothing where nothing was.
inline Verdict only(const Verdicts& said) {
  EXPECT_LE(said.all().size(), 1u);
  return said.all().empty() ? Verdict() : said.all().front();
}

inline Verdict only(std::vector<Verdict> said) {
  EXPECT_LE(said.size(), 1u);
  return said.empty() ? Verdict() : said.front();
}

// What an entry's judge says at a stage.
inline std::vector<Verdict> judge(const PolicyEntry& entry, Stage stage, const Transaction& mail, const Facts& facts,
                                  const void* settings) {
  Verdicts said;
  said.speaks(entry.name, stage, entry.mode(settings));
  entry.judge(stage, mail, facts, settings, said);
  return said.take();
}

template <SettingsStruct S>
std::vector<Verdict> judge(const PolicyEntry& entry, Stage stage, const Transaction& mail, const Facts& facts,
                           const S& settings) {
  return judge(entry, stage, mail, facts, static_cast<const void*>(&settings));
}

template <class F>
Facts facts_with(F of_policy) {
  Facts facts;
  facts.put(std::move(of_policy));
  return facts;
}

}  // namespace sallyport::policies
