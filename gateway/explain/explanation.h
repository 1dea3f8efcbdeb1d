// Explanation: what `sallyport explain` has found out about one stored message: the envelope it was tried with, what
// each check found, and which replies the client would have got. A plain value; explain_text and explain_json write it
// out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/checks/plan.h"
#include "gateway/record/mail_record.h"
#include "policies/api/actions.h"
#include "policies/api/entry.h"

namespace sallyport::explain {

// The envelope of the trial. Addresses are canonical, without <>; an empty `from` is the null sender.
struct Envelope {
  IpAddress ip;
  std::string helo;
  std::string from;
  std::vector<std::string> to;
  bool tls = false;
  // What the caller did not give, and where it was taken from: "ip: from a Received field".
  std::vector<std::string> assumed;
};

// The parts of the envelope that the caller gives; make_envelope() takes the rest from the message. Addresses are
// canonical, without <>.
struct GivenEnvelope {
  std::optional<IpAddress> ip;
  std::string helo;
  std::optional<std::string> from;  // empty: the null sender
  std::vector<std::string> to;
  bool tls = false;
};

struct StoredMessage {
  std::string content;             // as a client would send it, without dot-stuffing
  std::vector<std::string> notes;  // how it differs from the file: "LF line ends are taken as CRLF"
};

// One command and the gateway's reply, as whole lines: "550 5.7.1 Relaying denied (id ...)". No lines: the gateway
// closed the connection without a reply.
struct Exchange {
  std::string command;  // empty: the connection itself
  std::vector<std::string> reply;
};

// A violation or fault that the gateway would have logged in a line of its own.
struct Remark {
  std::string event;  // violation, fault
  std::string kind;
  std::string detail;

  friend bool operator==(const Remark&, const Remark&) = default;
};

// One check that is on, with the settings it judged by.
struct ExplainedCheck {
  const policies::PolicyEntry* entry;
  policies::Mode mode;
  const void* settings;  // points into Explanation::plans
};

struct Explanation {
  Envelope envelope;
  std::uint64_t octets = 0;
  std::vector<std::string> notes;

  // What became of the mail, or of its first refused recipient when there was no mail. `check` is "session" when the
  // session itself refused or closed before that.
  record::MailRecord record;
  std::string reply;  // the last reply to the client about this mail; empty: none

  std::shared_ptr<const checks::Plans> plans;  // keeps the settings of `checks`
  std::vector<ExplainedCheck> checks;          // in the order in which their judges run
  policies::ActionSettings thresholds;

  std::vector<Exchange> dialogue;
  std::vector<Remark> remarks;
  std::string relayed_header;  // the whole header section as sent to the upstream; empty: not relayed

  bool passes() const { return record.outcome == record::Outcome::relay || record.outcome == record::Outcome::tag; }
  // The mail reaches its server, if only with the mark of a quarantine.
  bool is_relayed() const { return record::is_relayed(record.outcome); }
};

}  // namespace sallyport::explain
