#include "policies/milters/gathering.h"

#include <algorithm>
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

// When a milter has to have answered, so that those behind it have time left, however slow it is: each its
// command_timeout, or an equal part of what there is, where that is less.
Time end_of_turn(Time now, Time deadline, const std::vector<const MilterSettings*>& behind) {
  const Duration left = std::max(deadline - now, Duration::zero());
  const Duration equal_part = left / static_cast<int>(behind.size() + 1);
  Duration reserved{};
  for (const MilterSettings* milter : behind) reserved += std::min(milter->command_timeout, equal_part);
  return now + left - reserved;
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

// Of the milters that are asked at this stage.
struct MiltersGathering::Turns {
  Turns(const std::vector<Asked>& all, Stage stage, const Transaction& mail) {
    for (const Asked& asked : all) {
      if (serves(*asked.milter, mail.listener) && asked.session->has_to_hear(stage)) behind.push_back(asked.milter);
    }
  }
  // What the next one may use.
  GatherContext next(const GatherContext& context) {
    behind.erase(behind.begin());
    GatherContext own = context;
    own.deadline = end_of_turn(context.scheduler.now(), context.deadline, behind);
    return own;
  }

  std::vector<const MilterSettings*> behind;  // those whose turn has not been
};

// One after the other: each may change what the next one sees, and the first that refuses has decided.
Task<void> MiltersGathering::gather(Stage stage, const Transaction& mail, Facts& facts, const GatherContext& context) {
  MiltersFacts found = facts.get<MiltersFacts>();
  if (stage == Stage::message) {
    co_await gather_content(mail, found, context);
  } else {
    Turns turns(all(), stage, mail);
    for (const Asked& asked : all()) {
      if (!serves(*asked.milter, mail.listener) || !asked.session->has_to_hear(stage)) continue;
      const GatherContext turn = turns.next(context);
      MilterAnswer answer = co_await asked.session->tell(stage, mail, turn);
      const bool is_over = refuses(answer, *asked.milter) && settings_.mode_of(*asked.milter) == Mode::enforce;
      put(found.of(asked.name), std::move(answer));
      if (is_over) break;
    }
  }
  facts.put(std::move(found));
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
  Turns turns(all(), Stage::message, mail);
  for (const Asked& asked : all()) {
    if (!serves(*asked.milter, mail.listener) || !asked.session->has_to_hear(Stage::message)) continue;
    const GatherContext turn = turns.next(context);
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
