#include "tests/unit/session/session_peers.h"

#include <algorithm>
#include <utility>

#include "gateway/async/wait.h"
#include "gateway/base/text.h"
#include "tests/unit/session/same_message.h"
#include "tests/unit/smtp/content_model.h"

namespace sallyport::session {

namespace {

// The local part of the address in a command line.
std::string_view local_part(std::string_view line) {
  std::size_t begin = line.find('<') + 1;
  return line.substr(begin, line.find_first_of("@>", begin) - begin);
}

// The fate that the address names for this point: "rcpt-550" at "rcpt".
Fate fate_of(std::string_view line, std::string_view point) {
  static const std::map<std::string_view, Fate> words{
      {"550", Fate::refused},       {"450", Fate::deferred}, {"plain", Fate::plain},
      {"misclass", Fate::misclass}, {"close", Fate::closes}, {"reset", Fate::resets},
      {"garble", Fate::garbles},    {"421", Fate::says_421}, {"354", Fate::says_354},
  };
  std::string_view local = local_part(line);
  if (!local.starts_with(point) || local.size() <= point.size() || local[point.size()] != '-') return Fate::good;
  local.remove_prefix(point.size() + 1);
  auto found = words.find(local.substr(0, local.find('-')));
  return found == words.end() ? Fate::good : found->second;
}

std::string reply_of(Fate fate, std::string_view good, std::string_view odd) {
  switch (fate) {
    case Fate::good:
      break;
    case Fate::refused:
      return "550 5.1.1 No such thing\r\n";
    case Fate::deferred:
      return "450 4.2.0 Later\r\n";
    case Fate::plain:
      return "550 \x01no \xff" + std::string(700, 'o') + "\r\n";  // the gateway has to filter and fold it
    case Fate::misclass:
      return "550 2.1.1 no\r\n";
    case Fate::garbles:
      return "what?\r\n";
    case Fate::says_421:
      return "421 4.3.2 bye\r\n";
    case Fate::says_354:
      return std::string(odd);
    case Fate::closes:
    case Fate::resets:
      return {};
  }
  return std::string(good);
}

}  // namespace

// One connection, on the server's side.
class ObedientUpstream::Connection {
 public:
  Connection(ObedientUpstream& upstream, std::unique_ptr<io::Stream> stream)
      : upstream_(upstream), stream_(std::move(stream)) {
    upstream_.connections_.insert(stream_.get());
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { upstream_.connections_.erase(stream_.get()); }

  Task<void> serve() {
    if (!co_await say("220 upstream.example ESMTP\r\n")) co_return;
    while (true) {
      auto line = co_await next_line();
      if (!line) co_return;
      std::string verb = text::to_upper(line->substr(0, line->find(' ')));
      bool goes_on = verb == "DATA" || verb == "BDAT" ? co_await take_content(*line) : co_await obey(verb, *line);
      if (!goes_on) co_return;
    }
  }

 private:
  // False when the connection is over.
  Task<bool> say(std::string reply) {
    auto sent = co_await stream_->write(reply, async::no_deadline);
    co_return sent.ok();
  }
  Task<bool> answer(Fate fate, std::string_view good, std::string_view odd) {
    if (fate == Fate::closes) stream_->close();
    if (fate == Fate::resets) stream_->abort();
    if (fate == Fate::closes || fate == Fate::resets) co_return false;
    co_return co_await say(reply_of(fate, good, odd));
  }
  Task<bool> more() {
    input_ += stream_->input();
    stream_->consume(stream_->input().size());
    auto filled = co_await stream_->fill(async::no_deadline);
    input_ += stream_->input();
    stream_->consume(stream_->input().size());
    co_return filled.ok();
  }
  Task<Result<std::string>> next_line() {
    std::size_t end;
    while ((end = input_.find("\r\n")) == std::string::npos) {
      if (!co_await more()) co_return Failure{"gone"};
    }
    std::string line = input_.substr(0, end);
    input_.erase(0, end + 2);
    co_return line;
  }

  Task<bool> obey(std::string verb, std::string line) {
    const Setting& setting = upstream_.setting_;
    if (verb == "EHLO") {
      std::string reply = "250-upstream.example\r\n";
      if (setting.pipelining_upstream) reply += "250-PIPELINING\r\n";
      if (setting.full_upstream) reply += "250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n";
      if (setting.chunking_upstream) reply += "250-CHUNKING\r\n";
      if (setting.sized_upstream) reply += "250-SIZE " + std::to_string(script_upstream_size) + "\r\n";
      co_return co_await say(reply + "250 HELP\r\n");
    }
    if (verb == "MAIL") {
      if (!current_.mail.empty()) co_return co_await say("503 5.5.1 Nested\r\n");
      Fate fate = fate_of(line, "mail");
      if (fate == Fate::good) current_.mail = line;
      co_return co_await answer(fate, "250 2.1.0 Ok\r\n", "354 go\r\n");
    }
    if (verb == "RCPT") {
      if (current_.mail.empty()) co_return co_await say("503 5.5.1 No sender\r\n");
      Fate fate = fate_of(line, "rcpt");
      if (fate == Fate::good) current_.rcpts.push_back(line);
      co_return co_await answer(fate, "250 2.1.5 Ok\r\n", "354 go\r\n");
    }
    if (verb == "RSET") current_ = {};
    if (verb == "RSET") co_return co_await say("250 2.0.0 Ok\r\n");
    if (verb == "QUIT") static_cast<void>(co_await say("221 2.0.0 Bye\r\n"));
    if (verb == "QUIT") stream_->close();
    co_return verb != "QUIT" && co_await say("500 5.5.1 What\r\n");
  }

  Task<bool> take_content(std::string line) {
    if (current_.rcpts.empty()) co_return co_await say("503 5.5.1 No recipients\r\n");
    if (line == "DATA") {
      Fate fate = fate_of(current_.mail, "data");
      bool goes_on = co_await answer(fate, "354 go\r\n", "250 2.0.0 Already\r\n");
      if (!goes_on || fate != Fate::good) co_return goes_on;
      smtp::Outcome read = smtp::model_data(input_, UINT64_MAX);
      while (!read.ended) {
        if (!co_await more()) co_return false;
        read = smtp::model_data(input_, UINT64_MAX);
      }
      input_.erase(0, read.consumed);
      current_.content = read.content;
    } else {
      auto octets = static_cast<std::size_t>(text::to_number(text::split(line, ' ')[1]).value_or(0));
      while (input_.size() < octets) {
        if (!co_await more()) co_return false;
      }
      current_.content = input_.substr(0, octets);
      input_.erase(0, octets);
    }
    co_return co_await end_content();
  }

  Task<bool> end_content() {
    Fate fate = fate_of(current_.mail, "end");
    bool keeps = local_part(current_.mail).ends_with("-kept");
    if (fate == Fate::good || keeps) {
      current_.content = std::string(below_our_fields(current_.content));
      upstream_.committed.push_back(std::exchange(current_, {}));
    }
    current_ = {};
    co_return co_await answer(fate, "250 2.0.0 Stored\r\n", "354 more\r\n");
  }

  ObedientUpstream& upstream_;
  std::unique_ptr<io::Stream> stream_;
  std::string input_;
  Committed current_;
};

Task<void> ObedientUpstream::serve(std::unique_ptr<io::Stream> stream) {
  Connection connection(*this, std::move(stream));
  co_await connection.serve();
}

void ObedientUpstream::hang_up() {
  for (io::Stream* stream : connections_) stream->close();
}

// ---- the policy ----

namespace {

Plan plan_in(std::string_view text, std::string_view stage) {
  static const std::map<std::string_view, Plan> words{
      {"reject", Plan::reject},   {"tempfail", Plan::tempfail}, {"drop", Plan::drop},
      {"discard", Plan::discard}, {"accept", Plan::accept},     {"tag", Plan::tag},
  };
  if (!text.starts_with(stage)) return Plan::none;
  text.remove_prefix(stage.size());
  auto found = words.find(text.substr(0, text.find_first_of(".@")));
  return found == words.end() ? Plan::none : found->second;
}

policies::Verdict verdict_of(Plan plan) {
  policies::Verdict verdict;
  switch (plan) {
    case Plan::none:
      break;
    case Plan::reject:
      return policies::Verdict::reject("5.7.1", "Planned");
    case Plan::tempfail:
      return policies::Verdict::tempfail("4.7.1", "Planned");
    case Plan::drop:
      verdict.action = policies::Action::drop;
      break;
    case Plan::discard:
      verdict.action = policies::Action::discard;
      break;
    case Plan::accept:
      verdict.action = policies::Action::accept;
      break;
    case Plan::tag:
      verdict.action = policies::Action::tag;
      break;
  }
  return verdict;
}

}  // namespace

void PlannedPolicy::judge(policies::Stage stage, const policies::Transaction& mail, const policies::Facts&,
                          policies::Verdicts& out) const {
  using policies::Stage;
  switch (stage) {
    case Stage::connect:
      return out.add(verdict_of(at_connect_));
    case Stage::helo:
      return out.add(verdict_of(plan_in(mail.client.helo, "plan-")));
    case Stage::mail:
      return out.add(verdict_of(plan_in(mail.from->local, "plan-")));
    case Stage::rcpt:
      return out.add(verdict_of(plan_in(mail.rcpt->local, "plan-")));
    case Stage::message:
      return out.add(verdict_of(plan_in(mail.from->local, "end-")));
    case Stage::headers:
    case Stage::done:
      break;
  }
}

}  // namespace sallyport::session
