#include "gateway/checks/leaving_header.h"

#include "gateway/checks/changes.h"
#include "gateway/checks/header_out.h"

namespace sallyport::checks {

namespace {

// The texts that ReceivedInfo points at.
struct ReceivedTexts {
  std::string ip;
  std::string only_recipient;
};

mail::ReceivedInfo received_info(const LeavingMail& leaving, const ReceivedTexts& texts) {
  const policies::Transaction& mail = leaving.mail;
  mail::ReceivedInfo received;
  received.helo = mail.client.helo;
  received.rdns = mail.client.rdns;
  received.ip_literal = texts.ip;
  received.by = leaving.hostname;
  received.extended = mail.client.extended;
  received.utf8 = mail.smtputf8;
  if (mail.client.tls) {
    received.tls = true;
    received.tls_version = mail.client.tls->version;
    received.tls_cipher = mail.client.tls->cipher;
    received.tls_bits = mail.client.tls->bits;
  }
  received.id = mail.id;
  received.for_address = texts.only_recipient;
  received.date = leaving.now;
  return received;
}

}  // namespace

mail::OutgoingHeader leaving_header(const Checks& checks, const LeavingMail& leaving) {
  const policies::Transaction& mail = leaving.mail;
  const ReceivedTexts texts{mail.client.ip.to_literal(), mail.rcpts.size() == 1 ? mail.rcpts.front().to_string() : ""};
  const mail::AuthResults results = auth_results(checks.plan(), mail, checks.facts(), leaving.hostname);
  TraceInfo trace{.received = {}, .verdicts = checks.verdicts(), .id = mail.id};
  if (leaving.has_received) trace.received = received_info(leaving, texts);
  trace.action = leaving.disposition.action;
  const Reason& reason = leaving.disposition.reason;
  trace.because = reason.because.empty() ? reason.check : reason.because;
  trace.results = &results;
  trace.policy_fields = trace_fields(checks.plan(), mail, checks.facts(), leaving.hostname);
  trace.authserv_ids = {leaving.hostname};
  trace.has_new_body = new_body(checks.verdicts()) != nullptr;
  mail::OutgoingHeader header = make_outgoing_header(leaving.message, trace);
  if (!header.is_changed) return header;
  const std::string octets = octets_of(header);
  const mail::HeaderSection section(octets);
  trace.seal = checks.seal(section, results, leaving.now);
  return trace.seal.empty() ? std::move(header) : make_outgoing_header(leaving.message, trace);
}

}  // namespace sallyport::checks
