#include "policies/milters/macros.h"

#include <algorithm>
#include <array>

#include "gateway/base/text.h"
#include "gateway/base/version.h"

namespace sallyport::policies {

namespace {

using milter::MacroStage;

// The names of both MTAs, by MacroStage.
constexpr std::array<std::string_view, milter::macro_stages> usual = {
    "j {daemon_name} {daemon_addr} {daemon_port} v _ {if_name} {if_addr} {client_addr} {client_name} {client_port} "
    "{client_ptr}",
    "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer} {verify}",
    "i {mail_mailer} {mail_host} {mail_addr}",
    "i {rcpt_mailer} {rcpt_host} {rcpt_addr}",
    "i",
    "i {msg_id}",
    "i",
};

constexpr std::string_view mailer = "esmtp";
constexpr std::size_t longest_value = 1000;

// Octets above 127 stay: an address may hold UTF-8.
std::string clean(std::string_view text) {
  std::string value;
  for (const char c : text.substr(0, longest_value)) {
    if (!text::is_control(c)) value += c;
  }
  return value;
}

std::string name_of_client(const Client& client) {
  return client.rdns.empty() ? "[" + client.ip.to_string() + "]" : client.rdns;
}

std::string message_id(const Transaction& mail) {
  if (mail.message == nullptr) return {};
  const mail::HeaderField* field = mail.message->header().find("Message-ID");
  return field == nullptr ? std::string() : std::string(text::trim(mail::unfold(field->value)));
}

std::string value_of_refused(std::string_view name, const RefusedRecipient& refused) {
  if (name == "rcpt_mailer") return "error";
  if (name == "rcpt_host") return refused.dsn;
  if (name == "rcpt_addr") return refused.text;
  return {};
}

std::string raw_value(std::string_view name, const Transaction& mail, std::string_view hostname) {
  const Client& client = mail.client;
  if (name == "j" || name == "if_name") return std::string(hostname);
  if (name == "i") return mail.id;
  if (name == "v") return "Sallyport " + std::string(version());
  if (name == "_") return name_of_client(client) + " [" + client.ip.to_string() + "]";
  if (name == "r") return client.extended ? "ESMTP" : "SMTP";
  if (name == "s") return client.helo;
  if (name == "daemon_name") return "sallyport";
  const bool has_address = !mail.listener.is_unix();
  if (name == "daemon_addr" || name == "if_addr") return has_address ? mail.listener.address().ip.to_string() : "";
  if (name == "daemon_port") return has_address ? std::to_string(mail.listener.port()) : "";
  if (name == "client_addr") return client.ip.to_string();
  if (name == "client_name" || name == "client_ptr") return client.rdns.empty() ? "unknown" : client.rdns;
  if (name == "client_port") return std::to_string(client.port);
  if (name == "f") return mail.from ? mail.from->to_string() : std::string();
  if (name == "mail_addr") return mail.from ? mail.from->to_string() : std::string();
  if (name == "mail_host") return mail.from ? mail.from->domain : std::string();
  if (name == "mail_mailer") return std::string(mailer);
  if (name == "rcpt_addr") return mail.rcpt ? mail.rcpt->to_string() : std::string();
  if (name == "rcpt_host") return mail.route.upstream.empty() && mail.rcpt ? mail.rcpt->domain : mail.route.upstream;
  if (name == "rcpt_mailer") return std::string(mailer);
  if (name == "msg_id") return message_id(mail);
  if (!client.tls) return {};
  if (name == "tls_version") return client.tls->version;
  if (name == "cipher") return client.tls->cipher;
  if (name == "cipher_bits") return std::to_string(client.tls->bits);
  if (name == "cert_subject") return client.tls->client_subject;
  if (name == "cert_issuer") return client.tls->client_issuer;
  if (name == "verify")
    return client.tls->client_is_verified ? "OK" : client.tls->client_subject.empty() ? "NO" : "FAIL";
  return {};
}

}  // namespace

std::string macro_value(std::string_view name, const Transaction& mail, std::string_view hostname,
                        const RefusedRecipient* refused) {
  if (name.size() > 2 && name.front() == '{' && name.back() == '}') name = name.substr(1, name.size() - 2);
  const bool is_about_rcpt = name.starts_with("rcpt_");
  return clean(refused != nullptr && is_about_rcpt ? value_of_refused(name, *refused)
                                                   : raw_value(name, mail, hostname));
}

MacroSet::MacroSet(MacroStage stage, const MilterSettings& milter, const milter::MtaDialogue& dialogue,
                   const Transaction& mail, std::string_view hostname, const RefusedRecipient* refused) {
  const auto add = [&](std::string_view name) {
    std::string value = macro_value(name, mail, hostname, refused);
    if (!value.empty()) values_.emplace_back(name, std::move(value));
  };
  if (const MacroNames& configured = milter.macros[static_cast<std::size_t>(stage)]) {
    for (const std::string& name : *configured) add(name);
    return;
  }
  const std::optional<std::string>& wanted = dialogue.wanted_macros(stage);
  std::string_view names = wanted ? std::string_view(*wanted) : usual[static_cast<std::size_t>(stage)];
  constexpr std::size_t most = 50;
  for (std::string_view name = text::take_word(names); !name.empty(); name = text::take_word(names)) {
    if (values_.size() < most) add(name);
  }
}

milter::Macros MacroSet::for_command(milter::Verb verb) const {
  milter::Macros macros{verb, {}};
  macros.values.reserve(values_.size());
  for (const auto& [name, value] : values_) macros.values.emplace_back(name, value);
  return macros;
}

}  // namespace sallyport::policies
