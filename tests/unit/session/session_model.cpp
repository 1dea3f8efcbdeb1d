#include "tests/unit/session/session_model.h"

#include <algorithm>
#include <set>
#include <utility>

#include "gateway/base/text.h"
#include "tests/unit/session/session_model_content.h"
#include "tests/unit/smtp/content_model.h"

namespace sallyport::session {

namespace {

using Kind = Step::Kind;

// The reply of a plan that refuses.
std::string_view reply_for(Plan plan) { return plan == Plan::tempfail ? "451 4.7.1" : "550 5.7.1"; }
bool refuses(Plan plan) { return plan == Plan::reject || plan == Plan::tempfail || plan == Plan::drop; }

}  // namespace

// ---- what is said ----

void SessionModel::say_and_end(std::string_view reply) {
  say(reply);
  end();
}

void SessionModel::error(std::string_view reply) {
  say(reply);
  count_error();
}

void SessionModel::count_error() {
  if (++errors_ >= setting_.errors) say_and_end("421 4.7.0");
}

void SessionModel::count_junk() {
  if (++junk_ > setting_.junk) count_error();
}

void SessionModel::count_refused_recipient() {
  if (++refused_recipients_ >= script_refused_recipients) say_and_end("421 4.7.0");
}

Plan SessionModel::plan(Plan plan) const {
  bool is_exempt = is_exempt_ || (transaction_ && transaction_->is_exempt);
  return setting_.has_policy && !is_exempt ? plan : Plan::none;
}

bool SessionModel::refuse_by_plan(Plan plan) {
  if (!refuses(plan)) return false;
  if (plan == Plan::drop) {
    end();
  } else {
    say(reply_for(plan));
  }
  return true;
}

// ---- the steps ----

SessionModel::Replies SessionModel::greeting() {
  Plan at_connect = setting_.has_policy ? setting_.at_connect : Plan::none;
  if (refuse_by_plan(at_connect)) {
    end();
  } else {
    is_exempt_ = at_connect == Plan::accept;
    say("220");
  }
  return std::exchange(replies_, {});
}

SessionModel::Replies SessionModel::play(const Step& step, bool is_followed, bool is_cut_off) {
  if (step.kind == Kind::wait) now_ += 3;
  // U18: it is given up, to be opened again (U17). Where no server listens there is nothing to be given up.
  if (step.kind == Kind::wait && step.last && is_listening_ && transaction_) give_up_connection();
  if (step.kind == Kind::come_back) is_listening_ = true;
  if (step.kind == Kind::hang_up) {
    is_listening_ = is_listening_ && !step.last;
    if (transaction_ && transaction_->holds_connection) transaction_->connection_is_dead = true;
  }
  if (is_over_ || line_of(step).empty()) return {};
  const SimpleLine* simple_line = step.kind == Kind::simple ? &simple_lines()[step.index] : nullptr;
  // Malformed lines are refused before their meaning is looked at.
  if (simple_line && simple_line->kind == SimpleLine::Kind::bad_line) {
    say_and_end(simple_line->reply);
  } else if (simple_line && simple_line->kind == SimpleLine::Kind::not_smtp && !is_greeted_) {
    say_and_end("554 5.5.1");
  } else if (is_followed && !may_be_followed(step)) {
    say_and_end("554 5.5.0");
  } else if (simple_line && simple_line->reply == "500 5.5.2") {
    error(simple_line->reply);
  } else if (step.kind == Kind::junk && !text::is_ascii(step.content)) {
    error("500 5.5.2");
  } else {
    switch (step.kind) {
      case Kind::hello:
        hello(step);
        break;
      case Kind::mail:
        mail(step);
        break;
      case Kind::rcpt:
        rcpt(step);
        break;
      case Kind::data:
        data();
        break;
      case Kind::chunk:
        chunk(step, is_cut_off);
        break;
      case Kind::starttls:
        starttls();
        break;
      case Kind::junk:
        error("500 5.5.1");
        break;
      default:
        simple(step);
    }
  }
  return std::exchange(replies_, {});
}

// Obeyed or refused, a command whose reply decides what comes next is the last of its segment; after HELO all are.
bool SessionModel::may_be_followed(const Step& step) const {
  if (is_greeted_ && !is_extended_) return false;
  if (step.kind == Kind::hello || step.kind == Kind::data || step.kind == Kind::starttls) return false;
  const std::string_view verb = step.kind == Kind::simple ? simple_lines()[step.index].verb : "";
  return verb != "DATA" && verb != "STARTTLS";
}

void SessionModel::hello(const Step& step) {
  const Greeting& greeting = greetings()[step.index];
  if (!greeting.refusal.empty()) return error(greeting.refusal);
  if (is_greeted_) {
    count_junk();
    if (is_over_) return;
  }
  transaction_.reset();
  // A new greeting is judged again; the verdict on the connection stays.
  bool was_exempt = std::exchange(is_exempt_, setting_.has_policy && setting_.at_connect == Plan::accept);
  Plan planned = plan(greeting.plan);
  if (refuse_by_plan(planned)) {
    is_exempt_ = was_exempt;  // a refused greeting has no effect: the one before still holds
    return;
  }
  is_exempt_ = is_exempt_ || planned == Plan::accept;
  is_greeted_ = true;
  is_extended_ = step.extended;
  say("250");
}

std::vector<std::string> SessionModel::offer() const {
  std::vector<std::string> keywords{"PIPELINING", "CHUNKING", "ENHANCEDSTATUSCODES", "SIZE", "LIMITS"};
  if (setting_.full_upstream) keywords.insert(keywords.end(), {"8BITMIME", "SMTPUTF8", "DSN"});
  if (setting_.starttls && !is_secured_) keywords.emplace_back("STARTTLS");
  std::sort(keywords.begin(), keywords.end());
  return keywords;
}

std::uint64_t SessionModel::max_size() const {
  return is_extended_ && setting_.sized_upstream ? script_upstream_size : script_message_size;
}

bool SessionModel::knows(Needs needs) const {
  switch (needs) {
    case Needs::nothing:
      return true;
    case Needs::size:
      return is_extended_;
    case Needs::eight_bit:
    case Needs::utf8:
    case Needs::dsn:
      return is_extended_ && setting_.full_upstream;
    case Needs::never:
      break;
  }
  return false;
}

std::string SessionModel::refusal_of(const std::vector<Parameter>& table,
                                     const std::vector<std::uint8_t>& chosen) const {
  std::set<std::string> seen;
  for (std::uint8_t index : chosen) {
    const Parameter& parameter = table[index];
    if (!parameter.always.empty()) return std::string(parameter.always);
    if (!knows(parameter.needs)) return "555 5.5.4";
    if (!seen.insert(text::to_upper(parameter.text.substr(0, parameter.text.find('=')))).second) return "501 5.5.4";
    if (!parameter.refusal.empty()) return std::string(parameter.refusal);
  }
  return {};
}

void SessionModel::mail(const Step& step) {
  if (is_before_tls()) return error("530 5.7.0");
  if (!is_greeted_ || transaction_) return error("503 5.5.1");
  const Sender& from = senders()[step.index];
  bool utf8 = std::any_of(step.parameters.begin(), step.parameters.end(),
                          [](std::uint8_t index) { return mail_parameters()[index].needs == Needs::utf8; });
  if (!from.refusal.empty()) return error(from.refusal);
  if (from.is_utf8 && !utf8) return error("553 5.6.7");
  if (std::string refusal = refusal_of(mail_parameters(), step.parameters); !refusal.empty()) return error(refusal);
  for (std::uint8_t index : step.parameters) {
    if (mail_parameters()[index].size > max_size()) return error("552 5.3.4");
  }
  Plan planned = plan(from.at_mail);
  if (refuse_by_plan(planned)) return;
  transaction_ = Transaction();
  transaction_->from = &from;
  transaction_->utf8 = utf8;
  transaction_->is_exempt = planned == Plan::accept;
  transaction_->mail_line = upstream_mail_line(from, step.parameters);
  say("250 2.1.0");
}

void SessionModel::rcpt(const Step& step) {
  if (is_before_tls()) return error("530 5.7.0");
  if (!transaction_ || transaction_->in_chunks) return error("503 5.5.1");
  const Recipient& to = recipients()[step.index];
  if (!to.refusal.empty()) return error(to.refusal);
  if (to.is_utf8 && !transaction_->utf8) return error("553 5.6.7");
  if (std::string refusal = refusal_of(rcpt_parameters(), step.parameters); !refusal.empty()) return error(refusal);
  ++transaction_->offered;
  if (transaction_->offered > 2 * script_recipients) return say_and_end("421 4.7.0");
  if (transaction_->offered > script_recipients) return say("452 4.5.3");
  if (!to.refused_by_rule.empty()) {
    say(to.refused_by_rule);
    return count_refused_recipient();
  }
  if (!bind(to)) return;

  Plan planned = plan(to.plan);
  Plan fate = planned == Plan::discard || planned == Plan::accept ? planned : Plan::none;
  if (refuse_by_plan(planned)) {
    if (planned == Plan::reject) count_refusal_said_again("550 5.7.1");
    return;
  }
  bool has_other_fate = setting_.has_policy && transaction_->fate && *transaction_->fate != fate;
  if (has_other_fate) return say("452 4.5.3");

  std::string line = "RCPT TO:<" + std::string(to.canonical) + ">";
  for (std::string_view name : {" NOTIFY=", " ORCPT="}) {  // in this order, whatever order the client used
    for (std::uint8_t index : step.parameters) {
      std::string_view text = rcpt_parameters()[index].text;
      if (text.starts_with(name)) line += text;
    }
  }
  std::string answer = ask_recipient(to);
  say(answer);
  if (answer[0] == '2') {
    transaction_->rcpts.push_back(line);
    transaction_->fate = fate;
    transaction_->is_exempt = transaction_->is_exempt || fate == Plan::accept;
  } else if (answer[0] == '5') {
    if (transaction_->mail_accepted) return count_refused_recipient();
    const bool is_first = transaction_->refused_for_sender.empty();
    transaction_->refused_for_sender = "the sender";
    if (is_first) count_refused_recipient();
  }
}

// The sender's or the client's refusal, in the same words for each recipient.
void SessionModel::count_refusal_said_again(std::string_view words) {
  if (std::exchange(transaction_->refused_for_sender, words) != words) count_refused_recipient();
}

// True if the recipient may join the transaction; else the refusal has been added.
bool SessionModel::bind(const Recipient& to) {
  if (to.route == Route::nobodys) {
    say("550 5.7.1");
    count_refused_recipient();
    return false;
  }
  if (transaction_->route == to.route) return true;
  if (!transaction_->rcpts.empty()) {
    say("452 4.5.3");
    return false;
  }
  transaction_->route = to.route;
  transaction_->holds_connection = false;
  transaction_->connection_is_dead = false;
  transaction_->mail_accepted = false;
  transaction_->lost.clear();
  return true;
}

void SessionModel::data() {
  if (is_before_tls()) return error("530 5.7.0");
  if (!transaction_ || transaction_->in_chunks) return error("503 5.5.1");
  if (transaction_->rcpts.empty()) return error("554 5.5.1");
  say("354");
  awaits_content_ = true;
}

SessionModel::Replies SessionModel::play_content(const std::string& content, bool is_cut_off) {
  awaits_content_ = false;
  if (is_cut_off) {
    end();
    return {};
  }
  smtp::Outcome read = smtp::model_data(content, script_text_line);
  std::string_view refusal = content_refusal(read, setting_.rejects_bare, max_size());
  end_of_data(read.content, refusal);
  return std::exchange(replies_, {});
}

void SessionModel::chunk(const Step& step, bool is_cut_off) {
  std::uint64_t octets = step.content.size();
  if (!step.announced.empty()) {
    auto number = text::to_number(step.announced, (std::uint64_t{1} << 63) - 1);
    if (!number || step.announced.size() > 20) return say_and_end("501 5.5.4");
    octets = *number;
  }
  bool is_in_order = is_extended_ && transaction_ && !transaction_->rcpts.empty() && !transaction_->failed;
  if (!is_in_order) {
    discard_chunk(step, octets, "503 5.5.1", is_cut_off);
    if (!is_over_) count_error();
    return;
  }
  transaction_->in_chunks = true;
  if (++transaction_->chunks > script_chunks) return say_and_end("421 4.7.0");
  std::uint64_t so_far = decoded_octets(transaction_->raw);
  if (octets > max_size() - std::min(max_size(), so_far)) return discard_chunk(step, octets, "552 5.3.4", is_cut_off);
  if (is_cut_off) return end();
  transaction_->raw += step.content;
  if (!step.last) {
    say("250 2.0.0");
    if (octets == 0) count_junk();
    return;
  }
  smtp::Outcome read = smtp::model_chunks(transaction_->raw, script_text_line);
  std::string_view refusal = content_refusal(read, setting_.rejects_bare, max_size());
  end_of_data(read.content, refusal);
}

void SessionModel::discard_chunk(const Step& step, std::uint64_t octets, std::string_view reply, bool is_cut_off) {
  if (transaction_) octets = transaction_->discarded += octets;
  bool is_worth_reading = octets <= 2 * max_size();
  if (is_worth_reading && is_cut_off) return end();
  say(reply);
  if (!is_worth_reading) end();
  if (step.last) {
    transaction_.reset();
  } else if (transaction_) {
    transaction_->in_chunks = true;
    transaction_->failed = true;
  }
}

void SessionModel::starttls() {
  if (!setting_.starttls) return error("502 5.5.1");
  if (is_secured_ || transaction_) return error("503 5.5.1");
  say("220 2.0.0");
  if (!setting_.handshakes) {
    awaits_handshake_ = true;
    return end();
  }
  // Everything learned before STARTTLS is forgotten.
  is_secured_ = true;
  is_greeted_ = false;
  is_extended_ = false;
}

void SessionModel::simple(const Step& step) {
  const SimpleLine& line = simple_lines()[step.index];
  bool is_barred = is_before_tls() && line.verb != "RSET" && line.verb != "QUIT" && line.verb != "STARTTLS";
  switch (line.kind) {
    case SimpleLine::Kind::noop:
      say(line.reply);
      return count_junk();
    case SimpleLine::Kind::vrfy:
    case SimpleLine::Kind::help:
      if (is_before_tls()) return error("530 5.7.0");
      say(line.reply);
      return count_junk();
    case SimpleLine::Kind::rset:
      transaction_.reset();
      say(line.reply);
      return count_junk();
    case SimpleLine::Kind::quit:
      return say_and_end(line.reply);
    case SimpleLine::Kind::malformed: {
      if (line.verb == "STARTTLS" && !setting_.starttls) return error("502 5.5.1");
      if (is_barred) return error("530 5.7.0");
      bool is_in_order = true;
      if (line.verb == "MAIL") is_in_order = is_greeted_ && !transaction_;
      if (line.verb == "STARTTLS") is_in_order = !is_secured_ && !transaction_;
      if (line.verb == "RCPT" || line.verb == "DATA") is_in_order = transaction_ && !transaction_->in_chunks;
      if (!is_in_order) return error("503 5.5.1");
      if (line.verb == "DATA" && transaction_->rcpts.empty()) return error("554 5.5.1");
      return error(line.reply);
    }
    default:
      return error(line.reply);
  }
}

// ---- the end of a message ----

void SessionModel::end_of_data(const std::string& content, std::string_view refusal) {
  Plan planned = plan(transaction_->from->at_end);
  if (planned == Plan::none && transaction_->fate == Plan::discard) planned = Plan::discard;
  if (planned == Plan::tag && transaction_->fate == Plan::discard) planned = Plan::discard;
  if (!refusal.empty()) {
    say(refusal);
  } else if (planned == Plan::discard) {
    say("250 2.0.0");
  } else if (!refuse_by_plan(planned)) {
    std::string answer = hand_over(content);
    say(answer);
    if (answer[0] == '2') junk_ = 0;
  }
  transaction_.reset();
}

}  // namespace sallyport::session
