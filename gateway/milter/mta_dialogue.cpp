#include "gateway/milter/mta_dialogue.h"

#include <algorithm>
#include <utility>

#include "gateway/base/ensure.h"

namespace sallyport::milter {

namespace {

// Verdicts on these are about the connection, on all others about the message.
bool is_about_connection(Verb verb) { return verb == Verb::connect || verb == Verb::helo; }

// After these the milter may answer that it needs no more of them.
bool can_be_skipped(Verb verb) { return verb == Verb::body || verb == Verb::header; }

std::string_view without_blanks_in_front(std::string_view value) {
  return value.substr(std::min(value.find_first_not_of(" \t"), value.size()));
}

// The value as it stands in a message: lines separated by CRLF, a blank behind the colon.
std::string on_paper(std::string_view value, bool has_leading_space) {
  std::string text;
  if (!has_leading_space && !value.empty()) {
    text = ' ';
    value = without_blanks_in_front(value);
  }
  for (const char c : value) {
    if (c == '\n') text += '\r';
    text += c;
  }
  return text;
}

// Collects one change. The words and replies among the answers are none.
struct Collect {
  Changes& changes;
  bool has_leading_space;

  void operator()(const AddHeader& add) const {
    changes.header.push_back({HeaderChange::Kind::append, 0, field(add.name, add.value)});
  }
  void operator()(const InsertHeader& insert) const {
    changes.header.push_back({HeaderChange::Kind::insert, insert.index, field(insert.name, insert.value)});
  }
  void operator()(const ChangeHeader& change) const {
    changes.header.push_back(
        {HeaderChange::Kind::change, change.index, field(change.name, change.value), change.value.empty()});
  }
  void operator()(const ReplaceBody& body) const {
    if (!changes.body) changes.body.emplace();
    changes.body->append(body.octets);
  }
  void operator()(const AddRcpt& add) const {
    changes.added_rcpts.push_back({std::string(add.path), std::string(add.parameters)});
  }
  void operator()(const DeleteRcpt& change) const { changes.deleted_rcpts.emplace_back(change.path); }
  void operator()(const ChangeSender& change) const {
    changes.sender = EnvelopeRcpt{std::string(change.path), std::string(change.parameters)};
  }
  void operator()(const Quarantine& quarantine) const { changes.quarantine = std::string(quarantine.reason); }
  void operator()(const Negotiated&) const {}
  void operator()(Word) const {}
  void operator()(const ReplyText&) const {}

  HeaderField field(std::string_view name, std::string_view value) const {
    return {std::string(name), on_paper(value, has_leading_space)};
  }
};

}  // namespace

std::string_view name(Breach breach) {
  switch (breach) {
    case Breach::malformed:
      return "a malformed packet";
    case Breach::out_of_phase:
      return "an answer that cannot come there";
    case Breach::not_negotiated:
      return "something that was not agreed on";
    case Breach::lost:
      return "it says that it has failed";
  }
  return "";
}

std::string MtaDialogue::open() {
  std::string out;
  encode(out, offered_);
  awaited_ = Verb::negotiate;
  return out;
}

bool MtaDialogue::hears_of(Verb verb) const {
  return is_about_connection(verb) ? hears_of_connection() : hears_of_message();
}

bool MtaDialogue::wants(Verb verb) const { return hears_of(verb) && verb != skipped_ && is_wanted(terms_, verb); }

void MtaDialogue::add_event(std::string& out, const Command& command, std::string_view macros) {
  ensure(!awaited_, "MtaDialogue: an event before the answer to the last one");
  const Verb verb = verb_of(command);
  if (verb == Verb::mail) {
    is_done_with_message_ = false;
    skipped_.reset();
    changes_ = {};
  }
  if (hears_of(verb) && !macros.empty()) encode_macros(out, verb, macros);
  if (!wants(verb)) return;
  if (!is_about_connection(verb) && verb != Verb::unknown) is_in_message_ = true;
  encode(out, command);
  if (is_answered(terms_, verb)) awaited_ = verb;
}

std::string MtaDialogue::next_event(const Command& command, std::string_view macros) {
  std::string out;
  add_event(out, command, macros);
  return out;
}

MtaDialogue::Taken MtaDialogue::take(const Packet& packet) {
  was_progress_ = false;
  if (!awaited_) return Breach::out_of_phase;
  const auto answer = decode_answer(packet);
  if (!answer) return Breach::malformed;
  if (*awaited_ == Verb::negotiate) return take_negotiated(*answer);
  if (const auto* word = std::get_if<Word>(&*answer)) return take_word(*word, *awaited_);
  if (const auto* reply = std::get_if<ReplyText>(&*answer)) return take_reply(*reply);
  return take_change(*answer);
}

MtaDialogue::Taken MtaDialogue::take_negotiated(const Answer& answer) {
  const auto* negotiated = std::get_if<Negotiated>(&answer);
  if (!negotiated) return Breach::out_of_phase;
  const auto terms = settle(offered_, negotiated->terms);
  if (!terms) return Breach::not_negotiated;
  if (!negotiated->macros.empty() && (terms->actions & action::set_macro_list) == 0) return Breach::not_negotiated;
  terms_ = *terms;
  for (const MacroList& list : negotiated->macros)
    macros_[static_cast<std::size_t>(list.stage)] = std::string(list.names);
  awaited_.reset();
  return std::optional(Outcome{});
}

MtaDialogue::Taken MtaDialogue::take_word(Word word, Verb about) {
  using Kind = Outcome::Kind;
  switch (word) {
    case Word::progress:
      was_progress_ = true;
      return std::optional<Outcome>();
    case Word::go_on:
      return conclude({});
    case Word::accept:
      return conclude({Kind::accept});
    case Word::discard:
      if (is_about_connection(about)) return Breach::out_of_phase;
      return conclude({Kind::discard});
    case Word::reject:
      return conclude({Kind::reject});
    case Word::tempfail:
      return conclude({Kind::tempfail});
    case Word::shutdown:
      return conclude({Kind::shutdown});
    case Word::skip:
      if ((terms_.options & option::skip) == 0) return Breach::not_negotiated;
      if (!can_be_skipped(about)) return Breach::out_of_phase;
      skipped_ = about;
      return conclude({});
    case Word::connection_failed:
      return Breach::lost;
  }
  return Breach::malformed;
}

MtaDialogue::Taken MtaDialogue::take_reply(const ReplyText& reply) {
  auto parsed = parse_custom_reply(reply.text);
  if (!parsed) return conclude({Outcome::Kind::tempfail});
  const auto kind = parsed->code >= 500 ? Outcome::Kind::reject : Outcome::Kind::tempfail;
  return conclude({kind, std::move(parsed)});
}

MtaDialogue::Taken MtaDialogue::take_change(const Answer& answer) {
  const std::uint32_t needed = action_of(answer);  // terms are no change, and need none
  if (*awaited_ != Verb::end_of_message || needed == 0) return Breach::out_of_phase;
  if ((terms_.actions & needed) == 0) return Breach::not_negotiated;
  std::visit(Collect{changes_, (terms_.options & option::leading_space) != 0}, answer);
  return std::optional<Outcome>();
}

// A verdict on one recipient is about this recipient alone, unless it ends the message.
MtaDialogue::Taken MtaDialogue::conclude(Outcome outcome) {
  const Verb about = *std::exchange(awaited_, std::nullopt);
  using Kind = Outcome::Kind;
  const bool is_refusal = outcome.kind == Kind::reject || outcome.kind == Kind::tempfail;
  const bool is_about_one = (about == Verb::rcpt || about == Verb::unknown) && is_refusal;
  const bool is_last_word = outcome.kind != Kind::go_on && !is_about_one;
  if (outcome.kind == Kind::shutdown || (is_last_word && is_about_connection(about))) is_done_with_connection_ = true;
  if (is_last_word || about == Verb::end_of_message) is_done_with_message_ = true;
  if (about == Verb::end_of_message || (is_last_word && !is_about_connection(about))) is_in_message_ = false;
  return std::optional(std::move(outcome));
}

std::optional<std::string> MtaDialogue::take_body_piece() {
  if (!changes_.body) return std::nullopt;
  return std::exchange(*changes_.body, {});
}

Changes MtaDialogue::take_changes() { return std::exchange(changes_, {}); }

std::string MtaDialogue::abort_message() {
  ensure(!awaited_, "MtaDialogue: an end before the answer to the last event");
  std::string out;
  is_done_with_message_ = true;
  changes_ = {};
  if (std::exchange(is_in_message_, false)) encode(out, Abort{});
  return out;
}

std::optional<std::string> MtaDialogue::end_session() {
  if (!is_wanted(terms_, Verb::quit_and_reuse)) return std::nullopt;
  std::string out = abort_message();
  encode(out, QuitAndReuse{});
  is_done_with_connection_ = false;
  is_done_with_message_ = false;
  skipped_.reset();
  return out;
}

std::string MtaDialogue::quit() {
  std::string out;
  encode(out, Quit{});
  return out;
}

}  // namespace sallyport::milter
