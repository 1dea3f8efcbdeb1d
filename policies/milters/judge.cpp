#include <algorithm>
#include <string>
#include <utility>

#include "gateway/base/text.h"
#include "policies/milters/milters.h"
#include "policies/milters/replies.h"

namespace sallyport::policies {

namespace {

constexpr std::size_t longest_line = 400;

// The milter's own words, as far as a reply may hold them (threats.md F5, I7).
std::string words_of(const MilterAnswer& answer) {
  std::string words;
  for (const std::string& line : answer.lines) {
    if (!words.empty()) words += '\n';
    words += text::printable(line, longest_line);
  }
  return words;
}

Verdict refusal(const MilterAnswer& answer, bool is_for_good) {
  const std::string words = words_of(answer);
  const ReplyText& usual = is_for_good ? milters_reply::refused : milters_reply::refused_for_now;
  const std::string text = words.empty() ? std::string(usual.text) : words;
  const int code = answer.code != 0 ? answer.code : usual.code;
  std::string dsn = answer.dsn;
  if (dsn.empty()) dsn = answer.code == 0 ? usual.dsn : (is_for_good ? "5.0.0" : "4.0.0");
  Verdict verdict = is_for_good ? Verdict::reject(dsn, text, code) : Verdict::tempfail(dsn, text, code);
  verdict.close = code == 421;
  return verdict;
}

// A milter that fails before MAIL is tried again there; until then nothing follows from it.
Verdict judge_failure(const MilterSettings& milter, const MilterAnswer& answer) {
  Verdict verdict;
  if (answer.stage >= Stage::mail && milter.on_error == MilterErrorAction::tempfail)
    verdict = refuse_with(milters_reply::silent);
  if (answer.stage >= Stage::mail && milter.on_error == MilterErrorAction::reject)
    verdict = refuse_with(milters_reply::silent_for_good);
  verdict.is_unknown = true;
  verdict.because = answer.problem;
  return verdict;
}

Verdict judge_answer(const MilterSettings& milter, const MilterAnswer& answer) {
  Verdict verdict;
  switch (answer.word) {
    case MilterWord::go_on:
    case MilterWord::accept:
      return verdict;
    case MilterWord::discard:
      verdict.action = Action::discard;
      break;
    case MilterWord::reject:
      verdict = refusal(answer, true);
      break;
    case MilterWord::tempfail:
      verdict = refusal(answer, false);
      break;
    case MilterWord::shutdown:
      verdict = refuse_with(milters_reply::closing);
      verdict.close = true;
      break;
    case MilterWord::failed:
      return judge_failure(milter, answer);
  }
  verdict.because = std::string(word(answer.word)) + " at " + std::string(word(answer.stage));
  return verdict;
}

bool says_nothing(const MilterAnswer& answer) {
  return answer.word == MilterWord::go_on || answer.word == MilterWord::accept;
}
bool wants_nothing(const MilterFacts& facts) { return facts.changes.is_empty() && !facts.body; }

bool says_nothing(const Verdict& verdict) { return verdict.action == Action::none && !verdict.is_unknown; }

std::string count(std::size_t number, std::string_view what) {
  return std::to_string(number) + " " + std::string(what) + (number == 1 ? "" : "s");
}

void add_words(std::string& words, std::string_view more) { words.append(words.empty() ? "" : ", ").append(more); }

std::string describe(const MilterFacts& facts) {
  std::string words;
  const milter::Changes& changes = facts.changes;
  if (!changes.header.empty()) add_words(words, "changes " + count(changes.header.size(), "header field"));
  if (facts.body) add_words(words, "replaces the body");
  if (changes.sender) add_words(words, "changes the sender");
  if (!changes.added_rcpts.empty()) add_words(words, "adds " + count(changes.added_rcpts.size(), "recipient"));
  if (!changes.deleted_rcpts.empty()) add_words(words, "removes " + count(changes.deleted_rcpts.size(), "recipient"));
  return words;
}

// What it wants to have changed of a mail that it lets pass.
void judge_changes(const MilterFacts& facts, Verdict& verdict) {
  if (wants_nothing(facts)) return;
  verdict.changes = facts.changes;
  verdict.body = facts.body;
  verdict.because = describe(facts);
  if (!facts.changes.quarantine) return;
  verdict.action = Action::quarantine;
  verdict.because = text::printable(*facts.changes.quarantine, longest_line);
}

// Whether there is a word, a failure or a change that a verdict of this stage could follow from.
bool has_something_to_say(const MilterFacts& facts, Stage stage) {
  const auto speaks = [&facts](Stage of) {
    const MilterAnswer* answer = facts.at(of);
    return answer != nullptr && !says_nothing(*answer);
  };
  if (stage == Stage::message) return speaks(stage) || speaks(Stage::rcpt) || !wants_nothing(facts);
  return speaks(stage) || (stage == Stage::mail && (speaks(Stage::connect) || speaks(Stage::helo)));
}

}  // namespace

void judge_milters(Stage stage, const Transaction&, const Facts& facts, const MiltersSettings& settings,
                   Verdicts& out) {
  const MiltersFacts* found = facts.find<MiltersFacts>();
  if (found == nullptr) return;
  const auto may_speak = [stage](const MilterFacts& one) { return has_something_to_say(one, stage); };
  if (std::none_of(found->milters.begin(), found->milters.end(), may_speak)) return;
  for (const MilterSettings& milter : settings.milters) {
    const Mode mode = settings.mode_of(milter);
    const MilterFacts* said = mode == Mode::off ? nullptr : found->find(milter.shown_name());
    if (said == nullptr) continue;
    const auto add = [&](Verdict verdict) {
      verdict.rule = said->name;
      verdict.shadow = mode == Mode::shadow;
      out.add(std::move(verdict));
    };
    const MilterAnswer* const answer = said->at(stage);
    if (answer != nullptr && (!says_nothing(*answer) || stage == Stage::message)) {
      Verdict verdict = judge_answer(milter, *answer);
      // One that discards a mail at its recipient means the mail, whose other recipients hear nothing else.
      const bool is_put_off = stage == Stage::rcpt && answer->word == MilterWord::discard;
      if (stage == Stage::message && says_nothing(verdict)) judge_changes(*said, verdict);
      const bool has_more = verdict.changes || verdict.body;
      if (!is_put_off && (has_more || !says_nothing(verdict))) add(std::move(verdict));
    }
    // What it has said of the connection holds for each mail of it: the client may go on after a refused greeting.
    const auto add_earlier = [&](Stage earlier) {
      const MilterAnswer* answer = said->at(earlier);
      if (answer == nullptr || answer->word == MilterWord::failed || says_nothing(*answer)) return;
      Verdict verdict = judge_answer(milter, *answer);
      if (!says_nothing(verdict)) add(std::move(verdict));
    };
    if (stage == Stage::mail) {
      add_earlier(Stage::connect);
      add_earlier(Stage::helo);
    }
    const MilterAnswer* at_rcpt = stage == Stage::message ? said->at(Stage::rcpt) : nullptr;
    if (at_rcpt != nullptr && at_rcpt->word == MilterWord::discard) add_earlier(Stage::rcpt);
  }
}

}  // namespace sallyport::policies
