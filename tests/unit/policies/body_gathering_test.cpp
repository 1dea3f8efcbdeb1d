// A policy that looks at the body as it streams past: the whole way from wants_body() to its judge.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

struct WordFacts {
  bool found = false;

  template <class V>
  void fields(V& visit) {
    visit("found", found);
  }
};

constexpr FactsType word_facts = facts_type<WordFacts>("forbidden_word");

struct WordSettings {
  Mode mode = Mode::enforce;
};

constexpr settings::SectionOf<WordSettings> word_section{"policy.forbidden_word", {}};

}  // namespace

template <>
inline const FactsType& type_of<WordFacts>() {
  return word_facts;
}

namespace {

// Finds a word in the body, wherever the octets are cut.
class WordGathering final : public Gathering {
 public:
  bool wants_body(const Transaction& mail) override { return !mail.from || !mail.from->is_null(); }
  void body(std::string_view octets) override {
    constexpr std::string_view word = "secret";
    tail_ += octets;
    found_ = found_ || tail_.find(word) != std::string::npos;
    if (tail_.size() >= word.size()) tail_.erase(0, tail_.size() - word.size() + 1);
  }
  Task<void> gather(Stage, const Transaction&, Facts& facts, const GatherContext&) override {
    facts.put(WordFacts{found_});
    co_return;
  }

 private:
  std::string tail_;
  bool found_ = false;
};

class WordGatherer final : public Gatherer {
 public:
  bool gathers_at(Stage stage) const override { return stage == Stage::message; }
  std::unique_ptr<Gathering> begin() const override { return std::make_unique<WordGathering>(); }
};

void judge_word(Stage stage, const Transaction&, const Facts& facts, const WordSettings&, Verdicts& out) {
  if (stage == Stage::message && facts.get<WordFacts>().found) out.add(Verdict::reject("5.7.1", "Forbidden word"));
}

constexpr PolicyEntry word_entry{
    .name = "forbidden_word",
    .settings = word_section,
    .mode = mode_of<WordSettings>,
    .facts = word_facts,
    .prepare = [](const void*, const GathererParts&) -> Result<std::unique_ptr<Gatherer>> {
      return std::unique_ptr<Gatherer>(std::make_unique<WordGatherer>());
    },
    .judge = judge_with<WordSettings, judge_word>,
};

Action action_on(const std::string& body, std::size_t piece) {
  PolicyWorld world;
  Transaction mail = mail_of("192.0.2.1");
  mail.from = address("ann", "example.org");
  const auto gatherer = world.prepare(word_entry, WordSettings());
  const auto gathering = gatherer->begin();
  EXPECT_TRUE(gathering->wants_body(mail));
  for (std::size_t at = 0; at < body.size(); at += piece) gathering->body(std::string_view(body).substr(at, piece));
  Facts facts;
  world.gather(*gathering, Stage::message, mail, facts);
  return only(judge(word_entry, Stage::message, mail, facts, WordSettings())).action;
}

TEST(BodyGathering, SeesTheBodyInPiecesOfAnySize) {
  for (std::size_t piece = 1; piece < 30; ++piece) {
    EXPECT_EQ(action_on("this is a secret\r\n", piece), Action::reject) << piece;
    EXPECT_EQ(action_on("this is a sec ret\r\n", piece), Action::none) << piece;
  }
}

TEST(BodyGathering, IsAskedWhetherItLooksAtTheMail) {
  Transaction bounce = mail_of("192.0.2.1");
  bounce.from = MailAddress{};
  EXPECT_FALSE(WordGathering().wants_body(bounce));
}

}  // namespace
}  // namespace sallyport::policies
