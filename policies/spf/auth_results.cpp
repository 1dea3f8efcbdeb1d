// What SPF tells the servers behind us: in Authentication-Results (RFC 8601, 2.7.2) and in Received-SPF (RFC
// 7208, 9.1).
#include <string>
#include <utility>

#include "gateway/mail/received_spf.h"
#include "policies/spf/spf.h"

namespace sallyport::policies {

namespace {

mail::AuthMethod method(const SpfCheck& check, std::string_view property, std::string value) {
  mail::AuthMethod said;
  said.method = "spf";
  said.result = word(check.result);
  said.reason = check.problem;
  said.properties.push_back({"smtp", std::string(property), std::move(value)});
  return said;
}

}  // namespace

std::string checked_sender(const Transaction& mail, const SpfCheck& mailfrom) {
  const bool is_null = !mail.from || mail.from->is_null();
  return is_null ? "postmaster@" + mailfrom.domain : mail.from->to_string();
}

void spf_auth_results(const Transaction& mail, const Facts& facts, mail::AuthResults& out) {
  const SpfFacts* found = facts.find<SpfFacts>();
  if (found == nullptr) return;
  if (found->mailfrom)
    out.methods.push_back(method(*found->mailfrom, "mailfrom", checked_sender(mail, *found->mailfrom)));
  if (found->helo) out.methods.push_back(method(*found->helo, "helo", found->helo->domain));
}

void spf_trace_fields(const Transaction& mail, const Facts& facts, std::string_view hostname, std::string& out) {
  const SpfFacts* found = facts.find<SpfFacts>();
  if (found == nullptr || !found->mailfrom) return;
  const std::string sender = checked_sender(mail, *found->mailfrom);
  const std::string ip = mail.client.ip.to_string();
  mail::ReceivedSpfInfo info;
  info.result = word(found->mailfrom->result);
  info.identity = "mailfrom";
  info.client_ip = ip;
  info.envelope_from = sender;
  info.helo = mail.client.helo;
  info.receiver = hostname;
  info.mechanism = found->mailfrom->mechanism;
  info.problem = found->mailfrom->problem;
  info.utf8 = mail.smtputf8;
  out += mail::make_received_spf(info);
}

}  // namespace sallyport::policies
