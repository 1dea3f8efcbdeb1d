#include "gateway/explain/explain_text.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/score_text.h"
#include "gateway/base/text.h"
#include "gateway/base/text_safety.h"
#include "gateway/checks/changes.h"
#include "gateway/explain/explain_checks.h"

namespace sallyport::explain {

namespace {

constexpr std::size_t label_width = 10;    // "recipient", and a space
constexpr std::size_t result_width = 12;   // "not counted", and a space
constexpr std::size_t most_questions = 8;  // of one check; --json has all
constexpr std::size_t most_answer = 100;   // octets of one answer, since a DKIM key is long

std::string padded(std::string_view word, std::size_t width) {
  std::string out(word);
  out.resize(std::max(width, word.size() + 1), ' ');
  return out;
}

void add_line(std::string& out, std::string_view label, std::string_view words) {
  out.append(padded(label, label_width)).append(text::showable(words));
  while (out.ends_with(' ')) out.pop_back();
  out += '\n';
}

std::string answer_words(const dns::Answer& answer) {
  switch (answer.status) {
    case dns::Status::ok:
      break;
    case dns::Status::no_data:
      return "no such record";
    case dns::Status::nxdomain:
      return "no such name";
    case dns::Status::servfail:
      return "no usable answer";
    case dns::Status::timeout:
      return "no answer in time";
    case dns::Status::budget:
      return "not asked: too many questions for one message";
  }
  std::string words;
  for (const dns::RecordData& record : answer.records) {
    if (!words.empty()) words += ", ";
    words += to_string(record);
    if (words.size() > most_answer) break;
  }
  words = text::showable(words);
  if (words.size() <= most_answer) return words;
  std::size_t cut = most_answer;
  while (!text::is_utf8(std::string_view(words).substr(0, cut))) --cut;
  return words.substr(0, cut) + "...";
}

void add_question(std::string& out, const dns::Evidence& asked) {
  out.append(label_width, ' ').append("  ").append(name(asked.question.type)).append(" ");
  out.append(text::showable(asked.question.name)).append(" = ").append(answer_words(asked.answer)).append("\n");
}

void add_check(std::string& out, const CheckRow& row) {
  std::string words = padded(row.words.result, result_width) + row.words.fact;
  if (row.score != 0) words += "  score " + score_text(row.score);
  if (row.mode == policies::Mode::shadow) words += "  (shadow: changes nothing)";
  if (row.decided) words += "  <- decided";
  add_line(out, row.check, words);
  for (const std::string& detail : row.words.details) {
    out.append(label_width, ' ').append("  ").append(text::showable(detail)).append("\n");
  }
  for (std::size_t i = 0; i < row.evidence.size() && i < most_questions; ++i) add_question(out, *row.evidence[i]);
  if (row.evidence.size() > most_questions) {
    out.append(label_width, ' ').append("  and ").append(std::to_string(row.evidence.size() - most_questions));
    out.append(" more questions (--json has all)\n");
  }
}

// Adds each different remark once, with the number of times it came: when the resolver is away, every question gives
// the same fault.
void add_remarks(std::string& out, const std::vector<Remark>& remarks) {
  std::vector<std::pair<const Remark*, std::size_t>> told;
  for (const Remark& remark : remarks) {
    const auto same = std::find_if(told.begin(), told.end(), [&](const auto& entry) { return *entry.first == remark; });
    if (same == told.end()) {
      told.emplace_back(&remark, 1);
    } else {
      ++same->second;
    }
  }
  for (const auto& [remark, times] : told) {
    std::string words = remark->kind;
    if (!remark->detail.empty()) words += ": " + remark->detail;
    if (times > 1) words += " (" + std::to_string(times) + " times)";
    add_line(out, remark->event, words);
  }
}

std::string reply_words(const Explanation& about) {
  if (about.is_relayed()) return "accepted once your mail server accepts it; the reply is its own";
  return about.reply.empty() ? "the connection is closed without a word" : about.reply;
}

std::string reason(const Explanation& about) {
  const record::MailRecord& record = about.record;
  std::string words = record.check;
  if (!record.rule.empty()) words += " (" + record.rule + ")";
  words.append(" at ").append(word(record.stage));
  if (!record.because.empty()) words += ": " + record.because;
  return words;
}

std::string client_words(const Envelope& envelope) {
  return envelope.ip.to_string() + ", HELO " + envelope.helo + (envelope.tls ? ", TLS" : ", no TLS");
}

// Adds a line for each recipient, with the reply if it was refused.
void add_recipients(std::string& out, const Explanation& about) {
  std::size_t place = 0;
  for (const Exchange& exchange : about.dialogue) {
    if (!exchange.command.starts_with("RCPT ") || place == about.envelope.to.size()) continue;
    std::string words = "<" + about.envelope.to[place++] + ">";
    const bool is_accepted = !exchange.reply.empty() && exchange.reply.back().starts_with('2');
    if (!is_accepted && !exchange.reply.empty()) words += "  " + exchange.reply.back();
    add_line(out, "to", words);
  }
  for (; place < about.envelope.to.size(); ++place)
    add_line(out, "to", "<" + about.envelope.to[place] + ">  not asked");
}

void add_score(std::string& out, const Explanation& about) {
  add_line(out, "score",
           score_text(about.record.score) + " (tag at " + score_text(about.thresholds.tag) + ", quarantine at " +
               score_text(about.thresholds.quarantine) + ", reject at " + score_text(about.thresholds.reject) + ")");
}

}  // namespace

std::string explain_text(const Explanation& about) {
  std::string out;
  add_line(out, word(about.record.outcome), reply_words(about));
  if (!about.record.check.empty()) add_line(out, "because", reason(about));
  out += "\n";

  add_line(out, "client", client_words(about.envelope));
  add_line(out, "from", "<" + about.envelope.from + ">");
  add_recipients(out, about);
  std::string message = std::to_string(about.octets) + " octets";
  for (const std::string& note : about.notes) message += "; " + note;
  add_line(out, "message", message);
  if (!about.envelope.assumed.empty()) add_line(out, "assumed", text::join(about.envelope.assumed, "; "));
  out += "\n";

  for (const CheckRow& row : rows_of(about)) add_check(out, row);
  for (const std::string& change : checks::changes(about.record.verdicts, about.is_relayed()))
    add_line(out, "change", change);
  add_remarks(out, about.remarks);
  out += "\n";
  add_score(out, about);
  return out;
}

}  // namespace sallyport::explain
