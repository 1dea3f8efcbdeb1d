#include "policies/milters/session.h"

#include <algorithm>
#include <utility>

#include "gateway/async/share.h"
#include "gateway/base/text.h"
#include "gateway/smtp/path.h"

namespace sallyport::policies {

namespace {

using Told = Result<milter::Outcome, MilterTrouble>;
using milter::MacroStage;
using milter::Outcome;
using TroubleKind = MilterTrouble::Kind;

constexpr Duration a_moment = std::chrono::seconds(1);
constexpr std::size_t largest_chunk = milter::default_data_octets;
// How much longer than the mail as it came a new body may be.
constexpr std::uint64_t most_growth = std::uint64_t{16} * 1024 * 1024;

std::vector<std::string_view> words_of(std::string_view parameters) {
  std::vector<std::string_view> words;
  for (auto word = text::take_word(parameters); !word.empty(); word = text::take_word(parameters))
    words.push_back(word);
  return words;
}

std::string in_brackets(const MailAddress& address) { return "<" + address.to_string() + ">"; }

// As milters expect it: lines separated by LF, and no blank in front, unless that was agreed on.
std::string value_for(std::string_view value, std::string_view name, bool has_leading_space) {
  if (!has_leading_space) value = value.substr(std::min(value.find_first_not_of(" \t"), value.size()));
  std::string text;
  text.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    const bool ends_line = value[i] == '\r' && i + 1 < value.size() && value[i + 1] == '\n';
    if (!ends_line) text += value[i];
  }
  const std::size_t room = milter::default_data_octets - name.size() - 2;  // the packet's; longer lines are cut
  if (text.size() > room) text.resize(room);
  return text;
}

// The session takes these for addresses as it takes those of a client.
bool has_sound_paths(const milter::Changes& changes, bool utf8) {
  const auto is_sound = [utf8](std::string_view path, smtp::PathKind kind) {
    const auto parsed = smtp::parse_path(path, kind, utf8);
    return parsed && parsed->rest.empty();
  };
  if (changes.sender && !is_sound(changes.sender->path, smtp::PathKind::reverse)) return false;
  return std::all_of(changes.added_rcpts.begin(), changes.added_rcpts.end(),
                     [&](const milter::EnvelopeRcpt& rcpt) { return is_sound(rcpt.path, smtp::PathKind::forward); });
}

// The command that a milter is told of stages connect to rcpt with.
milter::Verb verb_of(Stage stage) {
  switch (stage) {
    case Stage::connect:
      return milter::Verb::connect;
    case Stage::helo:
      return milter::Verb::helo;
    case Stage::mail:
      return milter::Verb::mail;
    default:
      return milter::Verb::rcpt;
  }
}

bool is_last_word(const Outcome& outcome) { return outcome.kind != Outcome::Kind::go_on; }

MilterWord word_of(Outcome::Kind kind) {
  switch (kind) {
    case Outcome::Kind::go_on:
      return MilterWord::go_on;
    case Outcome::Kind::accept:
      return MilterWord::accept;
    case Outcome::Kind::discard:
      return MilterWord::discard;
    case Outcome::Kind::reject:
      return MilterWord::reject;
    case Outcome::Kind::tempfail:
      return MilterWord::tempfail;
    case Outcome::Kind::shutdown:
      return MilterWord::shutdown;
  }
  return MilterWord::go_on;
}

// I8, threats.md F1 and F3.
void count_trouble(const MilterTrouble& trouble, std::string_view milter, const Transaction& mail,
                   const GatherContext& context) {
  const auto note = [&](std::string_view event, std::string_view kind) {
    const std::string ip = mail.client.ip.to_string();
    context.log.write(
        LogLevel::warning, event,
        {{"kind", kind}, {"id", mail.id}, {"milter", milter}, {"ip", ip}, {"detail", std::string_view(trouble.words)}});
  };
  const auto fault = [&](Fault kind) {
    context.counters.add(kind);
    note("fault", name(kind));
  };
  switch (trouble.kind) {
    case TroubleKind::protocol:
      context.counters.add(Violation::milter_protocol);
      return note("violation", name(Violation::milter_protocol));
    case TroubleKind::slow:
      return fault(Fault::milter_timeout);
    case TroubleKind::own:
      return fault(Fault::resource);
    case TroubleKind::down:
      return fault(Fault::milter_down);
  }
}

}  // namespace

// Counts how long a mail has been waited for.
class MilterSession::Clock {
 public:
  Clock(MilterSession& session, const GatherContext& context)
      : session_(session), scheduler_(context.scheduler), began_(scheduler_.now()) {}
  ~Clock() { session_.waited_ += scheduler_.now() - began_; }
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;

 private:
  MilterSession& session_;
  async::Scheduler& scheduler_;
  const Time began_;
};

bool MilterSession::has_to_hear(Stage stage) const {
  if (is_done_with_connection_) return false;
  return stage < Stage::mail ? !has_failed_before_mail_ : !is_done_with_mail_;
}

MilterPatience MilterSession::patience(const GatherContext& context) const {
  const Duration left = std::max(milter_.message_timeout - waited_, Duration::zero());
  return {milter_.command_timeout, std::min(context.scheduler.now() + left, context.deadline)};
}

std::unique_ptr<MilterConnection> MilterSession::forget_connection() noexcept {
  unlink();
  has_said_connect_ = has_said_helo_ = has_said_mail_ = false;
  return std::move(connection_);
}

MilterPool::Hub& MilterSession::hub() {
  if (hub_ == nullptr) hub_ = &services_.pool->hub_of(milter_);
  return *hub_;
}

void MilterSession::rest(const GatherContext& context) {
  rests_since_ = context.scheduler.now();
  MilterPool::rest(hub(), *this);
}

void MilterSession::notice_end(const GatherContext& context) {
  if (!connection_) return;
  const bool was_used_just_now = context.scheduler.now() - rests_since_ < a_moment;
  const bool stands = was_used_just_now ? connection_->seems_fresh() : connection_->is_fresh();
  if (!stands) forget_connection().reset();
}

void MilterSession::let_go() noexcept {
  if (auto connection = forget_connection()) services_.pool->give_back(hub(), milter_.reuse, std::move(connection));
}

void MilterSession::end_mail() noexcept {
  is_done_with_mail_ = false;
  trouble_.reset();
  waited_ = {};
  // A mail that the milter has not heard to its end: it is told so at once, and the connection serves others.
  const bool is_under_way = has_said_mail_ && connection_ && connection_->dialogue().hears_of_message();
  has_said_mail_ = false;
  if (is_under_way) let_go();
}

bool MilterSession::add(const milter::Command& event, MacroStage stage, const Transaction& mail,
                        const RefusedRecipient* refused) {
  std::string& macros = connection_->room_for_macros();
  const milter::MtaDialogue& dialogue = connection_->dialogue();
  if (dialogue.would_hear(milter::verb_of(event)))
    append_macros(macros, stage, milter_, dialogue, {mail, hostname_, refused, &services_.sessions_of});
  return connection_->add(event, macros);
}

bool MilterSession::add_rcpt(const MailAddress& rcpt, std::string_view parameters, const Transaction& mail,
                             const RefusedRecipient* refused) {
  const std::string path = in_brackets(rcpt);
  return add(milter::Rcpt{path, words_of(parameters)}, MacroStage::rcpt, mail, refused);
}

bool MilterSession::add_stage(Stage stage, const Transaction& mail) {
  switch (stage) {
    case Stage::connect: {
      has_said_connect_ = true;
      const std::string host = mail.client.rdns.empty() ? "[" + mail.client.ip.to_string() + "]" : mail.client.rdns;
      return add(milter::Connect{host, SocketAddress{mail.client.ip, mail.client.port}, {}}, MacroStage::connect, mail);
    }
    case Stage::helo:
      has_said_helo_ = true;
      return add(milter::Helo{mail.client.helo}, MacroStage::helo, mail);
    case Stage::mail: {
      has_said_mail_ = true;
      const std::string path = in_brackets(*mail.from);
      return add(milter::Mail{path, words_of(mail.mail_parameters)}, MacroStage::mail, mail);
    }
    default:
      return add_rcpt(*mail.rcpt, mail.rcpt_parameters, mail);
  }
}

Task<Told> MilterSession::say_stage(Stage stage, const Transaction& mail, const GatherContext& context) {
  if (!add_stage(stage, mail)) co_return Outcome{};
  co_return co_await connection_->answer(patience(context));
}

bool MilterSession::is_caught_up(Stage stage, const Transaction& mail) const {
  if (!connection_) return false;
  const bool has_said_helo = has_said_helo_ || mail.client.helo.empty();
  return (stage <= Stage::connect || has_said_connect_) && (stage <= Stage::helo || has_said_helo) &&
         (stage <= Stage::mail || has_said_mail_);
}

Task<Told> MilterSession::catch_up(Stage stage, const Transaction& mail, const GatherContext& context, bool anew) {
  if (!connection_) {
    const Time deadline = std::min(context.scheduler.now() + milter_.connect_timeout, context.deadline);
    user_.emplace(mail.client);
    auto acquired = co_await services_.pool->acquire(hub(), milter_, *user_, context.resolver, deadline, anew);
    if (!acquired) co_return std::move(acquired).error();
    connection_ = std::move(*acquired);
    wants_refused_ = (connection_->dialogue().terms().options & milter::option::rejected_rcpts) != 0;
  }
  if (stage > Stage::connect && !has_said_connect_) {
    auto told = co_await say_stage(Stage::connect, mail, context);
    if (!told || is_last_word(*told)) co_return told;
  }
  if (stage > Stage::helo && !has_said_helo_ && !mail.client.helo.empty()) {
    auto told = co_await say_stage(Stage::helo, mail, context);
    if (!told || is_last_word(*told)) co_return told;
  }
  if (stage > Stage::mail && !has_said_mail_) {
    auto told = co_await say_stage(Stage::mail, mail, context);
    if (!told || is_last_word(*told)) co_return told;
    // Those that were accepted by all; the one that is being judged comes after them.
    Transaction again = mail;
    again.rcpt_parameters.clear();
    for (const MailAddress& rcpt : mail.rcpts) {
      again.rcpt = rcpt;
      auto taken = co_await say_stage(Stage::rcpt, again, context);
      if (!taken || is_last_word(*taken)) co_return taken;
    }
  }
  co_return Outcome{};
}

Task<Told> MilterSession::tell_once(Stage stage, const Transaction& mail, const GatherContext& context, bool anew) {
  if (!is_caught_up(stage, mail)) {
    auto before = co_await catch_up(stage, mail, context, anew);
    if (!before || is_last_word(*before)) co_return before;
  }
  if (!add_stage(stage, mail)) co_return Outcome{};
  co_return co_await connection_->answer(patience(context));
}

MilterAnswer MilterSession::answer_of(Stage stage, const Told& told) {
  MilterAnswer answer;
  answer.stage = stage;
  answer.word = word_of(told->kind);
  if (told->reply) {
    answer.code = told->reply->code;
    answer.dsn = told->reply->enhanced;
    answer.lines = told->reply->lines;
  }
  return answer;
}

MilterAnswer MilterSession::fail(Stage stage, const MilterTrouble& trouble, const Transaction& mail,
                                 const GatherContext& context) {
  // With the octets of an answer that may still come, nothing could be said on it any more.
  forget_connection().reset();
  const bool is_news = !trouble_;
  if (stage >= Stage::mail) {
    trouble_ = trouble;
  } else {
    has_failed_before_mail_ = true;
  }
  if (is_news) count_trouble(trouble, milter_.shown_name(), mail, context);
  MilterAnswer answer;
  answer.stage = stage;
  answer.word = MilterWord::failed;
  answer.problem = trouble.words;
  return answer;
}

// A verdict on a connection holds for the connection, one on a mail for that mail, one on a recipient for nobody else
// (threats.md F8).
void MilterSession::remember(Stage stage, const MilterAnswer& answer) {
  const bool is_refusal = answer.word == MilterWord::reject || answer.word == MilterWord::tempfail;
  const bool is_about_one = stage == Stage::rcpt && is_refusal;
  if (answer.word == MilterWord::go_on || is_about_one) return;
  if (stage < Stage::mail || answer.word == MilterWord::shutdown) {
    is_done_with_connection_ = true;
  } else {
    is_done_with_mail_ = true;
  }
}

bool MilterSession::tell_in_passing(Stage stage, const Transaction& mail, const GatherContext& context) {
  if (trouble_ || !is_caught_up(stage, mail) || connection_->dialogue().would_answer(verb_of(stage))) return false;
  unlink();
  if (stage == Stage::mail) waited_ = {};
  add_stage(stage, mail);
  rest(context);
  return true;
}

Task<MilterAnswer> MilterSession::tell(Stage stage, const Transaction& mail, const GatherContext& context) {
  unlink();
  const Clock clock(*this, context);
  if (trouble_) co_return fail(stage, MilterTrouble(*trouble_), mail, context);
  if (stage == Stage::mail) waited_ = {};  // what was waited for before is not this mail's
  if (stage == Stage::helo) has_said_helo_ = false;
  auto told = co_await tell_once(stage, mail, context, false);
  // Perhaps it was a kept connection that was dead: once more, on another one.
  if (!told && told.error().was_closed) {
    forget_connection().reset();
    told = co_await tell_once(stage, mail, context, true);
  }
  if (!told) co_return fail(stage, told.error(), mail, context);
  MilterAnswer answer = answer_of(stage, told);
  remember(stage, answer);
  if (connection_) rest(context);
  co_return answer;
}

bool MilterSession::hears_of_refused_recipients() const {
  return wants_refused_ && !trouble_ && has_to_hear(Stage::rcpt);
}

Task<void> MilterSession::tell_refused(const Transaction& mail, const RefusedRecipient& refused,
                                       const GatherContext& context) {
  unlink();
  const Clock clock(*this, context);
  notice_end(context);
  auto told = co_await catch_up(Stage::rcpt, mail, context, false);
  if (told && !is_last_word(*told)) {
    const bool is_answered = add_rcpt(*mail.rcpt, mail.rcpt_parameters, mail, &refused);
    told = is_answered ? co_await connection_->answer(patience(context)) : Told(Outcome{});
  }
  if (!told) {
    fail(Stage::rcpt, told.error(), mail, context);
    co_return;
  }
  remember(Stage::rcpt, answer_of(Stage::rcpt, told));
  if (connection_) rest(context);
}

Task<Told> MilterSession::say_header(const MailDraft& draft, const GatherContext& context) {
  const bool has_leading_space = (connection_->dialogue().terms().options & milter::option::leading_space) != 0;
  for (std::size_t i = 0; i < draft.field_count(); ++i) {
    const MailDraft::Field field = draft.field(i);
    if (!connection_->dialogue().wants(milter::Verb::header)) break;
    if (field.name.empty() || field.name.size() > mail::max_field_octets / 2) continue;
    const std::string value = value_for(field.value, field.name, has_leading_space);
    const bool is_answered = connection_->add(milter::Header{field.name, value});
    if (is_answered) {
      auto told = co_await connection_->answer(patience(context));
      if (!told || is_last_word(*told)) co_return told;
    } else {
      auto flushed = co_await connection_->flush_much(patience(context));
      if (!flushed) co_return std::move(flushed).error();
    }
  }
  co_return Outcome{};
}

Task<Told> MilterSession::say_body(const MailDraft& draft, const GatherContext& context) {
  mail::Message::BodyPieces pieces = draft.body().body();
  while (connection_->dialogue().wants(milter::Verb::body)) {
    auto piece = pieces.next();
    if (!piece) co_return MilterTrouble{TroubleKind::own, "the body cannot be read: " + piece.error().message, false};
    std::string_view rest = *piece;
    if (rest.empty()) break;
    while (!rest.empty() && connection_->dialogue().wants(milter::Verb::body)) {
      const std::string_view chunk = rest.substr(0, largest_chunk);
      rest.remove_prefix(chunk.size());
      co_await async::Share(context.scheduler, chunk.size(), context.payer);
      if (connection_->add(milter::Body{chunk})) {
        auto told = co_await connection_->answer(patience(context));
        if (!told || is_last_word(*told)) co_return told;
      } else {
        auto flushed = co_await connection_->flush_much(patience(context));
        if (!flushed) co_return std::move(flushed).error();
      }
    }
  }
  co_return Outcome{};
}

Task<Told> MilterSession::say_content(const Transaction& mail, const MailDraft& draft, const GatherContext& context,
                                      NewBody& new_body) {
  if (!is_caught_up(Stage::message, mail)) {
    auto told = co_await catch_up(Stage::message, mail, context, false);
    if (!told || is_last_word(*told)) co_return told;
  }
  if (add(milter::Data{}, MacroStage::data, mail)) {
    auto told = co_await connection_->answer(patience(context));
    if (!told || is_last_word(*told)) co_return told;
  }
  if (connection_->dialogue().wants(milter::Verb::header)) {
    auto told = co_await say_header(draft, context);
    if (!told || is_last_word(*told)) co_return told;
  }
  if (add(milter::EndOfHeader{}, MacroStage::end_of_header, mail)) {
    auto told = co_await connection_->answer(patience(context));
    if (!told || is_last_word(*told)) co_return told;
  }
  if (connection_->dialogue().wants(milter::Verb::body)) {
    auto told = co_await say_body(draft, context);
    if (!told || is_last_word(*told)) co_return told;
  }
  add(milter::EndOfMessage{}, MacroStage::end_of_message, mail);
  // The milter does its work now: it has all the time that the mail has left.
  MilterPatience to_the_end = patience(context);
  to_the_end.for_answer = std::max(milter_.message_timeout, milter_.command_timeout);
  const BodyTaker taker = [&new_body](std::string_view octets) { return new_body.take(octets); };
  co_return co_await connection_->answer(to_the_end, &taker);
}

Task<MilterSession::Heard> MilterSession::tell_content(const Transaction& mail, const MailDraft& draft,
                                                       const GatherContext& context) {
  unlink();
  const Clock clock(*this, context);
  Heard heard;
  if (trouble_) {
    heard.answer = fail(Stage::message, MilterTrouble(*trouble_), mail, context);
    co_return heard;
  }
  notice_end(context);
  NewBody new_body(mail.message->octets() + most_growth, *services_.spool);
  auto told = co_await say_content(mail, draft, context, new_body);
  if (!told) {
    heard.answer = fail(Stage::message, told.error(), mail, context);
    co_return heard;
  }
  heard.answer = answer_of(Stage::message, told);
  is_done_with_mail_ = true;
  const bool goes_on = told->kind == Outcome::Kind::go_on || told->kind == Outcome::Kind::accept;
  if (goes_on) heard.changes = connection_->take_changes();
  heard.changes.body.reset();
  if (goes_on && new_body.has_begun()) heard.body = new_body.finish();
  const bool has_fit_body = !goes_on || !new_body.has_begun() || heard.body;
  if (!has_fit_body || !has_sound_paths(heard.changes, mail.smtputf8)) {
    const std::string_view what = has_fit_body ? "an address that is none" : "a new body that no mail may have";
    heard = {};
    heard.answer = fail(Stage::message, {TroubleKind::protocol, std::string(what), false}, mail, context);
    co_return heard;
  }
  if (told->kind == Outcome::Kind::shutdown) is_done_with_connection_ = true;
  has_said_mail_ = false;  // its end was said, or the milter had the last word before
  rest(context);
  co_return heard;
}

}  // namespace sallyport::policies
