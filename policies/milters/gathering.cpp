#include "policies/milters/gathering.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace sallyport::policies {

namespace {

bool serves(const MilterSettings& milter, const Endpoint& listener) {
  return milter.listeners.empty() ||
         std::find(milter.listeners.begin(), milter.listeners.end(), listener) != milter.listeners.end();
}

// What a milter has said before about the stage, for another recipient or greeting, is replaced.
void put(MilterFacts& facts, MilterAnswer answer) {
  const auto known = std::find_if(facts.answers.begin(), facts.answers.end(),
                                  [&answer](const MilterAnswer& one) { return one.stage == answer.stage; });
  if (known == facts.answers.end())
    facts.answers.push_back(std::move(answer));
  else
    *known = std::move(answer);
}

bool has_spoken(const Facts& facts, std::string_view milter, Stage stage) {
  const MiltersFacts* found = facts.find<MiltersFacts>();
  const MilterFacts* said = found == nullptr ? nullptr : found->find(milter);
  return said != nullptr && said->at(stage) != nullptr;
}

bool refuses(const MilterAnswer& answer, const MilterSettings& milter) {
  switch (answer.word) {
    case MilterWord::reject:
    case MilterWord::tempfail:
    case MilterWord::shutdown:
      return true;
    case MilterWord::failed:
      return answer.stage >= Stage::mail && milter.on_error != MilterErrorAction::skip;
    default:
      return false;
  }
}

}  // namespace

MiltersGathering::MiltersGathering(const MiltersSettings& settings, const MilterServices& services,
                                   std::string_view hostname, MiltersGathering* of_connection)
    : settings_(settings), of_connection_(of_connection) {
  if (of_connection_ != nullptr) return;
  for (const MilterSettings& milter : settings_.milters) {
    if (settings_.mode_of(milter) == Mode::off) continue;
    own_.push_back({&milter, milter.shown_name(), std::make_unique<MilterSession>(milter, services, hostname)});
  }
}

MiltersGathering::~MiltersGathering() {
  if (of_connection_ == nullptr) return;
  for (const Asked& asked : of_connection_->own_) asked.session->end_mail();
}

bool MiltersGathering::is_asked(const Asked& asked, Stage stage, const Transaction& mail) {
  return serves(*asked.milter, mail.listener) && asked.session->has_to_hear(stage);
}

// When a milter has to have answered, so that those behind it have time left, however slow it is: each its
// command_timeout, or an equal part of what there is, where that is less.
GatherContext MiltersGathering::turn_of(const Asked& asked, Stage stage, const Transaction& mail,
                                        const GatherContext& context) const {
  GatherContext turn = context;
  const Asked* const end = all().data() + all().size();
  const auto is_behind = [&](const Asked& one) { return is_asked(one, stage, mail); };
  const auto behind = std::count_if(&asked + 1, end, is_behind);
  if (behind == 0) return turn;
  const Duration left = std::max(context.deadline - context.scheduler.now(), Duration::zero());
  const Duration equal_part = left / static_cast<int>(behind + 1);
  for (const Asked* one = &asked + 1; one != end; ++one) {
    if (is_behind(*one)) turn.deadline -= std::min(one->milter->command_timeout, equal_part);
  }
  return turn;
}

// One after the other: each may change what the next one sees, and the first that refuses has decided. What a milter is
// told in passing it says nothing of: there is no fact then, but in place of what it has said of an earlier recipient.
Task<void> MiltersGathering::gather(Stage stage, const Transaction& mail, Facts& facts, const GatherContext& context) {
  if (stage == Stage::message) {
    MiltersFacts found = facts.get<MiltersFacts>();
    co_await gather_content(mail, found, context);
    facts.put(std::move(found));
    co_return;
  }
  std::optional<MiltersFacts> found;
  for (const Asked& asked : all()) {
    if (!is_asked(asked, stage, mail)) continue;
    MilterAnswer answer{.stage = stage};
    if (!asked.session->tell_in_passing(stage, mail, context)) {
      const GatherContext turn = turn_of(asked, stage, mail, context);
      answer = co_await asked.session->tell(stage, mail, turn);
    } else if (!has_spoken(facts, asked.name, stage)) {
      continue;
    }
    const bool is_over = refuses(answer, *asked.milter) && settings_.mode_of(*asked.milter) == Mode::enforce;
    if (!found) found = facts.get<MiltersFacts>();
    put(found->of(asked.name), std::move(answer));
    if (is_over) break;
  }
  if (found) facts.put(*std::move(found));
}

bool MiltersGathering::hears_of_refused_recipients() const {
  return std::any_of(all().begin(), all().end(),
                     [](const Asked& asked) { return asked.session->hears_of_refused_recipients(); });
}

Task<void> MiltersGathering::recipient_refused(const Transaction& mail, const RefusedRecipient& refused,
                                               const GatherContext& context) {
  for (const Asked& asked : all()) {
    if (serves(*asked.milter, mail.listener) && asked.session->hears_of_refused_recipients())
      co_await asked.session->tell_refused(mail, refused, context);
  }
}

Task<void> MiltersGathering::gather_content(const Transaction& mail, MiltersFacts& found,
                                            const GatherContext& context) {
  if (mail.message == nullptr) co_return;
  MailDraft draft(*mail.message);
  for (const Asked& asked : all()) {
    if (!is_asked(asked, Stage::message, mail)) continue;
    const GatherContext turn = turn_of(asked, Stage::message, mail, context);
    MilterSession::Heard heard = co_await asked.session->tell_content(mail, draft, turn);
    const bool is_enforced = settings_.mode_of(*asked.milter) == Mode::enforce;
    if (is_enforced) draft.apply(heard.changes, heard.body);
    const bool has_last_word = refuses(heard.answer, *asked.milter) || heard.answer.word == MilterWord::discard;
    const bool is_over = has_last_word && is_enforced;
    MilterFacts& facts = found.of(asked.name);
    put(facts, std::move(heard.answer));
    facts.changes = std::move(heard.changes);
    facts.body_octets = heard.body ? heard.body->body_octets() : 0;
    facts.body = std::move(heard.body);
    if (is_over) break;
  }
}

}  // namespace sallyport::policies
