#include "policies/milters/gathering.h"

#include <algorithm>
#include <utility>

namespace sallyport::policies {

namespace {

bool serves(const MilterSettings& milter, const SocketAddress& listener) {
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

// One after the other: each may change what the next one sees, and the first that refuses has decided.
Task<void> MiltersGathering::gather(Stage stage, const Transaction& mail, Facts& facts, const GatherContext& context) {
  MiltersFacts found = facts.get<MiltersFacts>();
  if (stage == Stage::message) {
    co_await gather_content(mail, found, context);
  } else {
    for (const Asked& asked : (of_connection_ ? of_connection_ : this)->own_) {
      if (!serves(*asked.milter, mail.listener) || !asked.session->has_to_hear(stage)) continue;
      MilterAnswer answer = co_await asked.session->tell(stage, mail, context);
      const bool is_over = refuses(answer, *asked.milter) && settings_.mode_of(*asked.milter) == Mode::enforce;
      put(found.of(asked.name), std::move(answer));
      if (is_over) break;
    }
  }
  facts.put(std::move(found));
}

Task<void> MiltersGathering::gather_content(const Transaction& mail, MiltersFacts& found,
                                            const GatherContext& context) {
  if (mail.message == nullptr) co_return;
  MailDraft draft(*mail.message);
  for (const Asked& asked : (of_connection_ ? of_connection_ : this)->own_) {
    if (!serves(*asked.milter, mail.listener) || !asked.session->has_to_hear(Stage::message)) continue;
    MilterSession::Heard heard = co_await asked.session->tell_content(mail, draft, context);
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
