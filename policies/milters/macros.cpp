#include "policies/milters/macros.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include "gateway/base/text.h"
#include "gateway/base/version.h"

namespace sallyport::policies {

namespace {

using milter::MacroStage;

constexpr std::string_view mailer = "esmtp";
constexpr std::size_t longest_value = 1000;
constexpr std::size_t most_macros = 50;

void append_number(std::string& out, unsigned long number) {
  std::array<char, 20> digits;
  out.append(digits.data(), std::to_chars(digits.begin(), digits.end(), number).ptr);
}

void append_name_of_client(std::string& out, const Client& client) {
  if (client.rdns.empty())
    out.append("[").append(client.ip.to_string()).append("]");
  else
    out += client.rdns;
}

void append_message_id(std::string& out, const Transaction& mail) {
  if (mail.message == nullptr) return;
  const mail::HeaderField* field = mail.message->header().find("Message-ID");
  if (field != nullptr) out += text::trim(mail::unfold(field->value));
}

std::string_view refused_mailer(const RefusedRecipient* refused) { return refused != nullptr ? "error" : mailer; }

// What one macro is called, and what adds its value.
struct Macro {
  std::string_view name;
  void (*append)(std::string& out, const MacroSource& from);
};

template <std::string TlsFacts::*Text>
void append_tls(std::string& out, const MacroSource& from) {
  if (from.mail.client.tls) out += *from.mail.client.tls.*Text;
}

constexpr auto append_hostname = [](std::string& out, const MacroSource& from) { out += from.hostname; };
constexpr auto append_daemon_address = [](std::string& out, const MacroSource& from) {
  if (!from.mail.listener.is_unix()) out += from.mail.listener.address().ip.to_string();
};
constexpr auto append_client_name = [](std::string& out, const MacroSource& from) {
  out += from.mail.client.rdns.empty() ? std::string_view("unknown") : from.mail.client.rdns;
};
constexpr auto append_sender = [](std::string& out, const MacroSource& from) {
  if (from.mail.from) out += from.mail.from->to_string();
};

constexpr Macro macro_table[] = {
    {"j", append_hostname},
    {"i", [](std::string& out, const MacroSource& from) { out += from.mail.id; }},
    {"v", [](std::string& out, const MacroSource&) { out.append("Sallyport ").append(version()); }},
    {"_",
     [](std::string& out, const MacroSource& from) {
       append_name_of_client(out, from.mail.client);
       out.append(" [").append(from.mail.client.ip.to_string()).append("]");
     }},
    {"r", [](std::string& out, const MacroSource& from) { out += from.mail.client.extended ? "ESMTP" : "SMTP"; }},
    {"s", [](std::string& out, const MacroSource& from) { out += from.mail.client.helo; }},
    {"f", append_sender},
    {"{daemon_name}", [](std::string& out, const MacroSource&) { out += "sallyport"; }},
    {"{daemon_addr}", append_daemon_address},
    {"{daemon_port}",
     [](std::string& out, const MacroSource& from) {
       if (!from.mail.listener.is_unix()) append_number(out, from.mail.listener.port());
     }},
    {"{if_name}", append_hostname},
    {"{if_addr}", append_daemon_address},
    {"{client_addr}", [](std::string& out, const MacroSource& from) { out += from.mail.client.ip.to_string(); }},
    {"{client_name}", append_client_name},
    {"{client_ptr}", append_client_name},
    {"{client_port}", [](std::string& out, const MacroSource& from) { append_number(out, from.mail.client.port); }},
    {"{client_connections}",
     [](std::string& out, const MacroSource& from) {
       if (from.sessions_of != nullptr && *from.sessions_of)
         append_number(out, (*from.sessions_of)(from.mail.client.ip));
     }},
    {"{tls_version}", append_tls<&TlsFacts::version>},
    {"{cipher}", append_tls<&TlsFacts::cipher>},
    {"{cipher_bits}",
     [](std::string& out, const MacroSource& from) {
       if (from.mail.client.tls) append_number(out, static_cast<unsigned long>(from.mail.client.tls->bits));
     }},
    {"{cert_subject}", append_tls<&TlsFacts::client_subject>},
    {"{cert_issuer}", append_tls<&TlsFacts::client_issuer>},
    {"{verify}",
     [](std::string& out, const MacroSource& from) {
       const auto& tls = from.mail.client.tls;
       if (tls) out += tls->client_is_verified ? "OK" : tls->client_subject.empty() ? "NO" : "FAIL";
     }},
    {"{mail_addr}", append_sender},
    {"{mail_host}",
     [](std::string& out, const MacroSource& from) {
       if (from.mail.from) out += from.mail.from->domain;
     }},
    {"{mail_mailer}", [](std::string& out, const MacroSource&) { out += mailer; }},
    {"{rcpt_addr}",
     [](std::string& out, const MacroSource& from) {
       if (from.refused != nullptr)
         out += from.refused->text;
       else if (from.mail.rcpt)
         out += from.mail.rcpt->to_string();
     }},
    {"{rcpt_host}",
     [](std::string& out, const MacroSource& from) {
       if (from.refused != nullptr)
         out += from.refused->dsn;
       else if (!from.mail.route.upstream.empty())
         out += from.mail.route.upstream;
       else if (from.mail.rcpt)
         out += from.mail.rcpt->domain;
     }},
    {"{rcpt_mailer}", [](std::string& out, const MacroSource& from) { out += refused_mailer(from.refused); }},
    {"{msg_id}", [](std::string& out, const MacroSource& from) { append_message_id(out, from.mail); }},
};

constexpr std::string_view without_braces(std::string_view name) {
  return name.size() > 2 && name.front() == '{' && name.back() == '}' ? name.substr(1, name.size() - 2) : name;
}

constexpr const Macro* find_macro(std::string_view name) {
  name = without_braces(name);
  for (const Macro& macro : macro_table) {
    if (without_braces(macro.name) == name) return &macro;
  }
  return nullptr;
}

template <std::size_t Size>
constexpr std::array<const Macro*, Size> macros_of(const std::string_view (&names)[Size]) {
  std::array<const Macro*, Size> macros{};
  for (std::size_t i = 0; i < Size; ++i) macros[i] = find_macro(names[i]);
  return macros;
}

// Those of both MTAs.
constexpr auto usual_connect =
    macros_of({"j", "{daemon_name}", "{daemon_addr}", "{daemon_port}", "v", "_", "{if_name}", "{if_addr}",
               "{client_addr}", "{client_name}", "{client_port}", "{client_ptr}"});
constexpr auto usual_helo =
    macros_of({"{tls_version}", "{cipher}", "{cipher_bits}", "{cert_subject}", "{cert_issuer}", "{verify}"});
constexpr auto usual_mail = macros_of({"i", "{mail_mailer}", "{mail_host}", "{mail_addr}"});
constexpr auto usual_rcpt = macros_of({"i", "{rcpt_mailer}", "{rcpt_host}", "{rcpt_addr}"});
constexpr auto usual_id = macros_of({"i"});
constexpr auto usual_end = macros_of({"i", "{msg_id}"});

// By MacroStage.
constexpr std::array<std::span<const Macro* const>, milter::macro_stages> usual = {
    usual_connect, usual_helo, usual_mail, usual_rcpt, usual_id, usual_end, usual_id};

// Octets above 127 stay: an address may hold UTF-8.
void clean(std::string& text, std::size_t begin) {
  if (text.size() - begin > longest_value) text.resize(begin + longest_value);
  const auto from = text.begin() + static_cast<std::ptrdiff_t>(begin);
  text.erase(std::remove_if(from, text.end(), [](char c) { return text::is_control(c); }), text.end());
}

// One that has no value adds nothing; true: it has.
bool append_macro(std::string& out, std::string_view name, const Macro& macro, const MacroSource& source) {
  const std::size_t begin = out.size();
  out.append(name).push_back('\0');
  const std::size_t value = out.size();
  macro.append(out, source);
  clean(out, value);
  const bool has_value = out.size() > value;
  if (has_value)
    out.push_back('\0');
  else
    out.resize(begin);
  return has_value;
}

}  // namespace

std::string macro_value(std::string_view name, const MacroSource& source) {
  std::string value;
  if (const Macro* const macro = find_macro(name)) macro->append(value, source);
  clean(value, 0);
  return value;
}

void append_macros(std::string& out, MacroStage stage, const MilterSettings& milter,
                   const milter::MtaDialogue& dialogue, const MacroSource& source) {
  const auto add_named = [&](std::string_view name) {
    const Macro* const macro = find_macro(name);
    return macro != nullptr && append_macro(out, name, *macro, source);
  };
  if (const MacroNames& configured = milter.macros[static_cast<std::size_t>(stage)]) {
    for (const std::string& name : *configured) add_named(name);
    return;
  }
  if (const std::optional<std::string>& wanted = dialogue.wanted_macros(stage)) {
    std::string_view names = *wanted;
    std::size_t sent = 0;
    for (std::string_view name = text::take_word(names); !name.empty() && sent < most_macros;
         name = text::take_word(names)) {
      if (add_named(name)) ++sent;
    }
    return;
  }
  for (const Macro* const macro : usual[static_cast<std::size_t>(stage)])
    append_macro(out, macro->name, *macro, source);
}

}  // namespace sallyport::policies
