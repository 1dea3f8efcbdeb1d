// MailRecord: what became of one mail, of one refused recipient, or of one refused connection, as one value.
//
// The session makes a record at the end of each mail, and for each recipient or connection that is refused, whether a
// policy, a limit or the upstream refuses it. It passes the record to its sinks (record_sink.h): the log's lines, the
// counters, the DMARC rows and `explain` are made from it and from nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/field_json.h"
#include "gateway/base/fields.h"
#include "gateway/base/result.h"
#include "gateway/base/units.h"
#include "policies/api/facts.h"
#include "policies/api/stage.h"
#include "policies/api/transaction.h"
#include "policies/api/verdict.h"

namespace sallyport {

namespace record {

// What the record is about: `event=` of its line.
enum class Subject : std::uint8_t { transaction, recipient, connection };

// `verdict=` of the line (contract.md, section 6).
enum class Outcome : std::uint8_t { relay, tag, reject, tempfail, quarantine, discard, drop };

}  // namespace record

template <>
inline constexpr auto words_of<record::Subject> =
    std::to_array<std::string_view>({"transaction", "recipient", "connection"});
template <>
inline constexpr auto words_of<record::Outcome> =
    std::to_array<std::string_view>({"relay", "tag", "reject", "tempfail", "quarantine", "discard", "drop"});

namespace record {

// True where the mail has gone to its server; one that is set aside has, with a mark, as long as there is no
// quarantine.
constexpr bool is_relayed(Outcome outcome) {
  return outcome == Outcome::relay || outcome == Outcome::tag || outcome == Outcome::quarantine;
}

// The decision about a mail, a recipient or a connection, its reason, and the reply to the client.
struct Decision {
  Outcome outcome = Outcome::drop;
  policies::Stage stage = policies::Stage::connect;  // the stage of the decision

  // The decider: a policy's name, "score", "upstream", "recipients", or the name of an incident (incident.h). Then the
  // rule within it, and the deciding fact, in words.
  std::string check;
  std::string rule;
  std::string because;
  std::string detail;  // a failure in our own wording

  // The reply to the client; code 0: there was none.
  int code = 0;
  std::string dsn;
  std::string reply;  // the whole line, "550 5.7.1 Refused (id ...)"

  template <class V>
  void fields(V& visit) {
    visit("outcome", outcome);
    visit("stage", stage);
    visit("check", check);
    visit("rule", rule);
    visit("because", because);
    visit("detail", detail);
    visit("code", code);
    visit("dsn", dsn);
    visit("reply", reply);
  }
};

struct MailRecord : Decision {
  Subject subject = Subject::transaction;
  // Without the message. In a recipient's record, `rcpt` is that recipient and `rcpts` those accepted before it.
  policies::Transaction transaction;
  policies::Facts facts;
  std::vector<policies::Verdict> verdicts;  // all verdicts, in the order in which they were given
  double score = 0;
  std::string upstream;       // the server, "10.1.0.5:25"; empty when none was asked
  std::uint64_t size = 0;     // octets of the content
  Duration took{};            // since MAIL, or since the connection's first octet
  std::string configuration;  // hash of the configuration that judged it
  // What was spoken, where it was not SMTP: "milter". Then: the MTA that has the mail, and its own name for it.
  std::string protocol;
  std::string mta;
  std::string queue_id;

  // Everything except the facts, which to_json() and from_json() below handle.
  template <class V>
  void fields(V& visit) {
    visit("subject", subject);
    Decision::fields(visit);
    visit("transaction", transaction);
    visit("verdicts", verdicts);
    visit("score", score);
    visit("upstream", upstream);
    visit("size", size);
    visit("took", took);
    visit("configuration", configuration);
    visit("protocol", protocol);
    visit("mta", mta);
    visit("queue_id", queue_id);
  }
};

// {"record": {...}, "facts": {...}}
std::string to_json(const MailRecord& record);
// Reads what to_json() has written; facts of types that are not in `known` are ignored. The error: the JSON is no
// record.
Result<MailRecord> from_json(const JsonValue& json, const std::vector<const policies::FactsType*>& known);

}  // namespace record

}  // namespace sallyport
