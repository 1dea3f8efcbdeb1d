#include "gateway/session/spf_field.h"

#include "gateway/mail/received_spf.h"

namespace sallyport::session {

std::string make_spf_field(const policies::Transaction& mail, const policies::SpfFacts& facts,
                           std::string_view hostname) {
  if (!facts.mailfrom) return {};
  const bool is_null = !mail.from || mail.from->is_null();
  const std::string sender = is_null ? "postmaster@" + facts.mailfrom->domain : mail.from->text;
  const std::string ip = mail.client.ip.to_string();
  mail::ReceivedSpfInfo info;
  info.result = name(facts.mailfrom->result);
  info.identity = "mailfrom";
  info.client_ip = ip;
  info.envelope_from = sender;
  info.helo = mail.client.helo;
  info.receiver = hostname;
  info.mechanism = facts.mailfrom->mechanism;
  info.problem = facts.mailfrom->problem;
  info.utf8 = mail.smtputf8;
  return mail::make_received_spf(info);
}

}  // namespace sallyport::session
