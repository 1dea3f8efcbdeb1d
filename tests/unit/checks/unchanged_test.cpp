// M18: what no rule changes arrives as it came, octet for octet, below our fields; and of a mail that rules change,
// what they do not name.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/unit/session/same_message.h"
#include "tests/unit/session/world.h"

namespace sallyport::checks {
namespace {

using namespace session;

using policies::Stage;
using policies::Verdict;

// Header sections that are odd and legal, or nearly so.
class OddMails {
 public:
  explicit OddMails(unsigned seed) : dice_(seed) {}

  // Whole fields.
  std::vector<std::string> header() {
    std::vector<std::string> fields;
    for (unsigned left = 1 + dice_() % 12; left > 0; --left) fields.push_back(field());
    return fields;
  }
  std::string body() {
    std::string body;
    for (unsigned left = dice_() % 6; left > 0; --left)
      body += any({"", ".", "..", ".x", "hello", "\xe4\xf6", " "}) + "\r\n";
    return body;
  }
  unsigned dice(unsigned sides) { return static_cast<unsigned>(dice_() % sides); }
  std::string any(const std::vector<std::string>& of) { return of[dice_() % of.size()]; }

 private:
  std::string field() {
    std::string name = any({"From", "SUBJECT", "subject", "To", "X-Old", "x-old", "Received", "DKIM-Signature", "X",
                            "X.y!z", "Resent-From", "Content-Type"});
    name += any({"", "", "", " ", "\t"}) + ":";
    std::string value;
    for (unsigned left = dice_() % 5; left > 0; --left) {
      value +=
          any({" ", "", "\t", "\r\n ", "\r\n\t\t", "  "}) +
          any({"a", "=?utf-8?q?=C3=A9?=", "\"q\\\"\"", "(c)", "caf\xc3\xa9", "\xe4", "::", ";", std::string(180, 'l')});
    }
    if (dice_() % 40 == 0) return "no colon here\r\n";
    return name + value + "\r\n";
  }
  std::mt19937 dice_;
};

std::string joined(const std::vector<std::string>& fields) {
  std::string all;
  for (const std::string& field : fields) all += field;
  return all;
}

std::string stuffed(const std::string& content) {
  std::string out = content.starts_with('.') ? "." : "";
  for (std::size_t at = 0; at < content.size(); ++at) {
    out += content[at];
    if (content[at] == '\n' && at + 1 < content.size() && content[at + 1] == '.') out += '.';
  }
  return out + ".\r\n";
}

// The mail through the gateway; gives it as the upstream has stored it, below our fields. `way`: DATA or BDAT, whole or
// octet by octet.
std::string relay(World& world, const std::string& content, unsigned way) {
  world.upstream.stored.clear();
  world.say("MAIL FROM:<ann@example.org> BODY=8BITMIME\r\n");
  world.say("RCPT TO:<bob@example.com>\r\n");
  std::string octets;
  if (way % 2 == 0) {
    world.say("DATA\r\n");
    octets = stuffed(content);
  } else {
    octets = "BDAT " + std::to_string(content.size()) + " LAST\r\n" + content;
  }
  std::string heard;
  if (way < 2) {
    heard = world.say(octets);
  } else {
    for (char c : octets) heard += world.say(std::string_view(&c, 1));
  }
  EXPECT_TRUE(heard.starts_with("250 ")) << heard << content;
  if (world.upstream.stored.size() != 1) return "not stored";
  return std::string(below_our_fields(world.upstream.stored[0].content));
}

void promise_8bit(World& world) {
  world.settings.upstreams["default"].extensions.is_common = false;
  world.settings.upstreams["default"].extensions.keywords = {"8BITMIME"};
}

TEST(Unchanged, AMailArrivesAsItCame) {
  World world;
  promise_8bit(world);
  world.greet();
  OddMails mails(1869);
  for (unsigned n = 0; n < 400; ++n) {
    const std::string content = joined(mails.header()) + "\r\n" + mails.body();
    if (content.starts_with(' ') || content.starts_with('\t')) continue;
    ASSERT_EQ(relay(world, content, n % 4), content) << n;
  }
}

// Removes X-Old, and marks the subject.
class Changing final : public TestPolicy {
 public:
  std::string_view name() const override { return "rules"; }
  void judge(Stage stage, const policies::Transaction&, const policies::Facts&,
             policies::Verdicts& out) const override {
    if (stage != Stage::message) return;
    Verdict verdict;
    verdict.rule = "CHANGES";
    verdict.header_edits = {{"X-Old", 0, {}}, {"X", 2, "other"}};
    verdict.subject_prefix = "[x] ";
    verdict.add_headers = {{"X-Added", "one"}};
    out.add(std::move(verdict));
  }
};

bool is_of(std::string_view field, std::string_view name) {
  const std::size_t colon = field.find(':');
  return colon != std::string_view::npos && text::equals_ignoring_case(text::trim(field.substr(0, colon)), name);
}

TEST(Unchanged, OfAChangedMailIsWhatTheRuleDoesNotName) {
  World world;
  world.excuse(Invariant::one_meaning);  // it knows no mail that loses fields
  world.add(std::make_unique<Changing>());
  promise_8bit(world);
  world.greet();
  OddMails mails(1870);
  for (unsigned n = 0; n < 400; ++n) {
    const std::vector<std::string> fields = mails.header();
    const std::string body = "\r\n" + mails.body();
    std::string expected;
    unsigned subjects = 0;
    unsigned xs = 0;
    for (const std::string& field : fields) {
      if (is_of(field, "X-Old")) continue;
      if (is_of(field, "X") && ++xs == 2) {
        expected += "X: other\r\n";
      } else if (is_of(field, "Subject")) {
        ++subjects;
        const std::size_t value = field.find(':') + 1;
        const std::size_t text = std::min(field.find_first_not_of(" \t\r\n", value), field.size() - 2);
        expected += field.substr(0, value) + " [x] " + field.substr(text);
      } else {
        expected += field;
      }
    }
    if (subjects == 0) expected = "Subject: [x] \r\n" + expected;
    ASSERT_EQ(relay(world, joined(fields) + body, n % 4), expected + body) << n;
  }
}

// One verdict for each of some rules, with the changes that the test wants.
class Rules final : public TestPolicy {
 public:
  std::string_view name() const override { return "rules"; }
  void judge(Stage stage, const policies::Transaction&, const policies::Facts&,
             policies::Verdicts& out) const override {
    for (const Verdict& verdict : said) {
      if (verdict.stage == stage) out.add(verdict);
    }
  }
  std::vector<Verdict> said;
};

std::vector<Verdict> random_rules(OddMails& mails) {
  std::vector<Verdict> rules(mails.dice(4));
  for (std::size_t i = 0; i < rules.size(); ++i) {
    Verdict& rule = rules[i];
    rule.rule = "R" + std::to_string(i);
    rule.stage = mails.dice(2) == 0 ? Stage::headers : Stage::message;
    for (unsigned left = mails.dice(4); left > 0; --left) {
      const std::string name = mails.any({"X-Old", "x-OLD", "X", "X-None", "Subject"});
      std::optional<std::string> value = mails.any({"", "one", std::string(890, 'v'), "a =b", "x;y"});
      if (name != "Subject" && mails.dice(2) == 0) value.reset();
      rule.header_edits.push_back({name, mails.dice(4), value});
    }
    if (mails.dice(3) == 0) rule.add_headers = {{"X-Added", "two"}, {"X-Old", "mine"}};
  }
  std::stable_sort(rules.begin(), rules.end(), [](const Verdict& a, const Verdict& b) { return a.stage < b.stage; });
  return rules;
}

struct Model {
  std::vector<std::string> on_top;
  std::string below;
};

// What the rules make of the header, by the plainest way: each change is made when it is said.
Model make_model(const std::vector<Verdict>& rules, const std::vector<std::string>& fields) {
  struct OnTop {
    std::string name;
    std::string value;
  };
  std::vector<std::string> left = fields;
  std::vector<OnTop> instead;
  Model model;
  for (const Verdict& rule : rules) {
    for (const auto& [name, value] : rule.add_headers) model.on_top.push_back(name + ": " + value + "\r\n");
    for (const policies::HeaderEdit& edit : rule.header_edits) {
      unsigned place = 0;
      for (std::size_t i = 0; i < fields.size(); ++i) {
        if (!is_of(fields[i], edit.name)) continue;
        ++place;
        if (edit.which != 0 && edit.which != place) continue;
        const bool is_replaced = edit.value && (edit.which != 0 || place == 1);
        const std::string name(text::trim(fields[i].substr(0, fields[i].find(':'))));
        left[i] = is_replaced ? name + ": " + *edit.value + "\r\n" : "";
      }
      if (!edit.value || place >= std::max<std::uint64_t>(edit.which, 1)) continue;
      std::erase_if(instead, [&](const OnTop& one) { return text::equals_ignoring_case(one.name, edit.name); });
      instead.push_back({edit.name, *edit.value});
    }
  }
  for (const OnTop& one : instead) model.on_top.push_back(one.name + ": " + one.value + "\r\n");
  for (const std::string& field : left) model.below += field;
  return model;
}

std::vector<std::string> added_fields(std::string_view stored, std::string_view below) {
  const std::string ours(stored.substr(0, stored.size() - below.size()));
  const mail::HeaderSection section(ours);
  std::vector<std::string> added;
  for (const mail::HeaderField& field : section.fields()) {
    const bool is_trace = text::starts_with_ignoring_case(field.name, "X-Sallyport-") || field.name == "Received" ||
                          field.name == "Authentication-Results";
    if (!is_trace) added.emplace_back(field.whole);
  }
  return added;
}

// Whatever rules change: the server gets what a model gets that does one change after the other, and the body as it
// came; in memory and from a file.
TEST(Unchanged, OfAnyChangesIsWhatAModelLeaves) {
  for (const bool is_in_file : {false, true}) {
    World world;
    world.excuse(Invariant::one_meaning);  // it knows no mail that loses fields
    auto policy = std::make_unique<Rules>();
    Rules& rules = *policy;
    world.add(std::move(policy));
    promise_8bit(world);
    if (is_in_file) world.settings.limits.memory_per_message = 1;
    world.greet();
    OddMails mails(is_in_file ? 1871 : 1872);
    for (unsigned n = 0; n < 400; ++n) {
      const std::vector<std::string> fields = mails.header();
      const std::string body = "\r\n" + mails.body();
      rules.said = random_rules(mails);
      const Model expected = make_model(rules.said, fields);
      ASSERT_EQ(relay(world, joined(fields) + body, n % 4), expected.below + body) << n;
      std::vector<std::string> added = added_fields(world.upstream.stored[0].content, expected.below + body);
      std::vector<std::string> wanted = expected.on_top;
      // The order of values for fields that are not there is not promised.
      std::sort(added.begin(), added.end());
      std::sort(wanted.begin(), wanted.end());
      ASSERT_EQ(added, wanted) << n;
    }
  }
}

}  // namespace
}  // namespace sallyport::checks
