#include "gateway/session/spf_field.h"

#include "gateway/mail/received_spf.h"

namespace sallyport::session {

std::string checked_sender(const policies::Transaction& mail, const policies::SpfCheck& mailfrom) {
  const bool is_null = !mail.from || mail.from->is_null();
  return is_null ? "postmaster@" + mailfrom.domain : mail.from->text;
}

std::string make_spf_field(const policies::Transaction& mail, const policies::SpfFacts& facts,
                           std::string_view hostname) {
  if (!facts.mailfrom) return {};
  const std::string sender = checked_sender(mail, *facts.mailfrom);
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
