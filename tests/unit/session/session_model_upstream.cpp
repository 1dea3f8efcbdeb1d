// The model's upstreams: what they answer, when they are lost, and what they have taken.
#include <array>
#include <utility>

#include "gateway/base/text.h"
#include "tests/unit/session/session_model.h"
#include "tests/unit/session/session_model_content.h"

namespace sallyport::session {

std::string SessionModel::upstream_mail_line(const Sender& from, const std::vector<std::uint8_t>& parameters) const {
  // In this order, whatever the client's.
  static constexpr std::array names{"SIZE", "BODY", "SMTPUTF8", "RET", "ENVID"};
  std::string line = "MAIL FROM:<" + std::string(from.canonical) + ">";
  for (std::string_view name : names) {
    for (std::uint8_t index : parameters) {
      std::string_view text = mail_parameters()[index].text.substr(1);
      if (!text::starts_with_ignoring_case(text, name)) continue;
      bool is_taken = name == "SIZE" ? setting_.sized_upstream : setting_.full_upstream;
      // 7BIT is what everybody assumes.
      if (is_taken && text != "BODY=7BIT") line += " " + text::to_upper(name) + std::string(text.substr(name.size()));
    }
  }
  return line;
}

void SessionModel::give_up_connection() {
  transaction_->holds_connection = false;
  transaction_->connection_is_dead = false;
  transaction_->mail_accepted = false;
}

// A new connection, or a kept one that is not dead; false: there is none, and the breaker opens.
bool SessionModel::connect() {
  if (now_ < down_until()) return false;
  if (!is_listening_) down_until() = now_ + 2;
  transaction_->holds_connection = is_listening_;
  return is_listening_;
}

// What has ended while the client was silent is opened again, with the recipients that were accepted; false: it is
// lost.
bool SessionModel::open_again() {
  Transaction& mail = *transaction_;
  if (mail.connection_is_dead) give_up_connection();
  if (mail.holds_connection || mail.rcpts.empty()) return true;
  mail.mail_accepted = connect();
  return mail.mail_accepted;
}

// The transaction cannot be saved: somebody was told that his recipient is accepted.
std::string SessionModel::lose(std::string reply) {
  give_up_connection();
  transaction_->lost = reply;
  return reply;
}

namespace {

struct Answer {
  std::string reply;
  bool is_failure = false;
  bool is_down = false;
};

Answer answer_of(Fate fate, std::string_view good) {
  switch (fate) {
    case Fate::good:
      break;
    case Fate::refused:
    case Fate::misclass:
      return {"550 5.1.1"};
    case Fate::deferred:
      return {"450 4.2.0"};
    case Fate::plain:
      return {"550"};
    case Fate::closes:
    case Fate::resets:
      return {"451 4.4.1", true, true};
    case Fate::garbles:
    case Fate::says_421:
    case Fate::says_354:
      return {"451 4.3.0", true, false};
  }
  return {std::string(good)};
}

}  // namespace

// Up to an accepted MAIL; empty when it is.
std::string SessionModel::open_transaction() {
  Transaction& mail = *transaction_;
  if (!mail.holds_connection && !connect()) return "451 4.4.1";
  Answer answer = answer_of(mail.from->point == Point::mail ? mail.from->fate : Fate::good, "");
  if (answer.is_failure) give_up_connection();
  mail.mail_accepted = answer.reply.empty();
  return answer.reply;
}

std::string SessionModel::ask_recipient(const Recipient& to) {
  Transaction& mail = *transaction_;
  if (!mail.lost.empty()) return mail.lost;
  if (!open_again()) return lose("451 4.4.1");
  if (!mail.mail_accepted) {
    if (std::string refusal = open_transaction(); !refusal.empty()) return refusal;
  }
  Answer answer = answer_of(to.fate, "250 2.1.5");
  if (!answer.is_failure) return answer.reply;
  if (!mail.rcpts.empty()) return lose(answer.reply);
  give_up_connection();
  return answer.reply;
}

std::string SessionModel::hand_over(const std::string& content) {
  Transaction& mail = *transaction_;
  if (!mail.lost.empty()) return mail.lost;
  if (!open_again()) return "451 4.4.1";
  const Sender& from = *mail.from;
  if (from.point == Point::data && !setting_.chunking_upstream) {
    Answer answer = answer_of(from.fate, "");
    if (!answer.reply.empty()) return answer.reply;
  }
  Answer answer = answer_of(from.point == Point::end ? from.fate : Fate::good, "250 2.0.0");
  if (!answer.is_failure && answer.reply[0] != '2') return answer.reply;
  if (!answer.is_failure || from.keeps)
    committed_.push_back({mail.mail_line, mail.rcpts, without_forged_fields(content)});
  // Nobody knows what became of it.
  return answer.is_down ? "451 4.4.2" : answer.reply;
}

}  // namespace sallyport::session
