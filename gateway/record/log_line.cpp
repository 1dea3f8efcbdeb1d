#include "gateway/record/log_line.h"

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include "gateway/base/text.h"
#include "gateway/checks/changes.h"
#include "gateway/checks/disposition.h"

namespace sallyport::record {

namespace {

using Words = std::vector<std::pair<std::string_view, std::string>>;

// The fields that policies fill in, in the contract's order.
constexpr std::string_view policy_fields[] = {"spf", "dkim", "dmarc", "arc", "dnsbl"};

// Those that only few mails have; written where there is something to say.
constexpr std::string_view rare_policy_fields[] = {"local_policy"};

std::string_view find_word(const Words& words, std::string_view key) {
  const auto found = std::find_if(words.begin(), words.end(), [key](const auto& word) { return word.first == key; });
  return found == words.end() ? std::string_view() : std::string_view(found->second);
}

// Every accepted recipient; when there is none, the recipient that was refused.
std::vector<std::string> recipients_of(const MailRecord& record) {
  const policies::Transaction& mail = record.transaction;
  std::vector<std::string> to;
  if (record.subject == Subject::transaction) {
    to.reserve(mail.rcpts.size());
    for (const auto& recipient : mail.rcpts) to.push_back(recipient.to_string());
  }
  if (to.empty() && mail.rcpt) to.push_back(mail.rcpt->to_string());
  return to;
}

bool write(Log& log, const MailRecord& record) {
  const policies::Transaction& mail = record.transaction;
  const policies::Findings found = record.facts.tell();
  const std::string ip = mail.client.ip.to_string();
  const std::string_view name = mail.client.rdns.empty() ? found.client_name : mail.client.rdns;
  const std::string from = mail.from ? mail.from->to_string() : std::string();
  const std::vector<std::string> to = recipients_of(record);
  const std::vector<std::string> symbols = checks::symbols(record.verdicts);
  const std::vector<std::string> changes = checks::changes(record.verdicts, is_relayed(record.outcome));
  const std::string shadow = text::join(checks::shadows(record.verdicts), "; ");
  const bool has_envelope = record.subject != Subject::connection;
  const bool is_mail = record.subject == Subject::transaction;

  std::vector<LogField> fields;
  fields.reserve(36);
  fields.push_back({"id", mail.id});
  fields.push_back({"tenant", mail.tenant.name});
  fields.push_back({"verdict", word(record.outcome)});
  fields.push_back({"stage", word(record.stage)});
  fields.push_back({"code", std::int64_t{record.code}});
  fields.push_back({"dsn", record.dsn});
  fields.push_back({"check", record.check});
  fields.push_back({"rule", record.rule});
  fields.push_back({"because", record.because});
  fields.push_back({"ip", ip});
  fields.push_back({"rdns", name});
  fields.push_back({"helo", mail.client.helo});
  if (has_envelope) {
    fields.push_back({"from", from, true});
    fields.push_back({"to", LogList(to), true});
  }
  if (is_mail) {
    fields.push_back({"nrcpt", static_cast<std::int64_t>(mail.rcpts.size())});
    fields.push_back({"size", static_cast<std::int64_t>(record.size)});
  }
  fields.push_back({"tls", mail.client.tls ? std::string_view(mail.client.tls->version) : "none"});
  for (std::string_view key : policy_fields) fields.push_back({key, find_word(found.words, key)});
  fields.push_back({"symbols", LogList(symbols)});
  fields.push_back({"score", record.score});
  if (has_envelope) fields.push_back({"upstream", record.upstream});
  fields.push_back({"ms", std::int64_t{std::chrono::duration_cast<std::chrono::milliseconds>(record.took).count()}});
  fields.push_back({"reply", record.reply});
  if (!record.protocol.empty()) {
    fields.push_back({"protocol", record.protocol});
    fields.push_back({"mta", record.mta});
    fields.push_back({"queue_id", record.queue_id});
  }
  if (!record.detail.empty()) fields.push_back({"detail", record.detail});
  if (!changes.empty()) fields.push_back({"changes", LogList(changes)});
  if (!shadow.empty()) fields.push_back({"shadow", shadow});
  for (std::string_view key : rare_policy_fields) {
    if (const std::string_view said = find_word(found.words, key); !said.empty()) fields.push_back({key, said});
  }
  return log.write(LogLevel::info, word(record.subject), fields);
}

}  // namespace

bool LogLine::take(const MailRecord& record) noexcept {
  try {
    return write(log_, record);
  } catch (const std::exception&) {
    counters_.add(Fault::log);  // the line is lost as on a full disk; the mail's outcome does not change (R6)
    return false;
  }
}

}  // namespace sallyport::record
