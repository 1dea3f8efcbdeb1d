#include <string>
#include <utility>

#include "policies/milters/milters.h"

namespace sallyport::policies {

namespace {

std::string describe(const MilterAnswer& answer) {
  std::string words = std::string(word(answer.stage)) + ": " + std::string(word(answer.word));
  if (answer.code != 0) words += " " + std::to_string(answer.code);
  if (!answer.dsn.empty()) words += " " + answer.dsn;
  for (const std::string& line : answer.lines) words += " " + line;
  if (!answer.problem.empty()) words += " (" + answer.problem + ")";
  return words;
}

std::string describe(const milter::HeaderChange& change) {
  using Kind = milter::HeaderChange::Kind;
  std::string words = change.removes                ? "removes "
                      : change.kind == Kind::append ? "appends "
                      : change.kind == Kind::insert ? "inserts "
                                                    : "changes ";
  words += change.field.name;
  if (change.kind != Kind::append) words += " " + std::to_string(change.index);
  if (!change.removes) words += ":" + change.field.value;
  return words;
}

void describe(const MilterFacts& facts, std::vector<std::string>& details) {
  const auto tell = [&](std::string words) { details.push_back(facts.name + " " + std::move(words)); };
  for (const MilterAnswer& answer : facts.answers) tell(describe(answer));
  for (const milter::HeaderChange& change : facts.changes.header) tell(describe(change));
  if (facts.body_octets > 0 || facts.body)
    tell("replaces the body by " + std::to_string(facts.body_octets) + " octets");
  if (facts.changes.sender) tell("changes the sender to " + facts.changes.sender->path);
  for (const milter::EnvelopeRcpt& rcpt : facts.changes.added_rcpts) tell("adds the recipient " + rcpt.path);
  for (const std::string& rcpt : facts.changes.deleted_rcpts) tell("removes the recipient " + rcpt);
  if (facts.changes.quarantine) tell("sets the mail aside: " + *facts.changes.quarantine);
}

bool has_failed(const MilterFacts& facts) {
  for (const MilterAnswer& answer : facts.answers) {
    if (answer.word == MilterWord::failed) return true;
  }
  return false;
}

}  // namespace

Explained explain_milters(const Transaction&, const Facts& facts, const MiltersSettings& settings) {
  Explained row;
  const MiltersFacts* found = facts.find<MiltersFacts>();
  row.result = "not asked";
  if (found == nullptr || found->milters.empty()) {
    for (const MilterSettings& milter : settings.milters) row.details.push_back(milter.shown_name() + " not asked");
    return row;
  }
  row.result = "asked";
  for (const MilterFacts& one : found->milters) {
    if (has_failed(one)) row.result = "failed";
    row.fact += (row.fact.empty() ? "" : ", ") + one.name;
    describe(one, row.details);
  }
  return row;
}

}  // namespace sallyport::policies
