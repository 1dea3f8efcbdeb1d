#include "gateway/explain/stored_message.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "gateway/base/domain_name.h"
#include "gateway/base/text.h"
#include "gateway/mail/header.h"
#include "gateway/smtp/command.h"
#include "gateway/smtp/path.h"

namespace sallyport::explain {

namespace {

// Only the header section: the body is not read, however long it is.
std::string_view header_of(std::string_view content) {
  const std::size_t end = content.find("\r\n\r\n");
  return content.substr(0, end == std::string_view::npos ? content.size() : end + 4);
}

std::string with_crlf(std::string_view octets) {
  std::string lines;
  lines.reserve(octets.size() + octets.size() / 32);
  for (const char c : octets) {
    if (c == '\n') lines += '\r';
    lines += c;
  }
  return lines;
}

std::optional<std::string> canonical(std::string_view address, smtp::PathKind kind) {
  std::string text = "<";
  text.append(address).append(">");
  auto path = smtp::parse_path(text, kind, true);
  if (!path || !path->rest.empty() || (kind == smtp::PathKind::forward && path->path.is_null())) return std::nullopt;
  return path->path.to_string();
}

// "from mail.example.org (name [192.0.2.1]) by ...", as most servers write it (RFC 5321, 4.4).
struct ReceivedFrom {
  std::string helo;
  std::optional<IpAddress> ip;
  bool is_ours = false;
};

ReceivedFrom read_received(const mail::HeaderField& field, std::string_view hostname) {
  ReceivedFrom found;
  std::string line = mail::unfold(field.value);
  std::replace(line.begin(), line.end(), '\t', ' ');
  const std::size_t by = line.find(" by ");
  const std::string_view from = std::string_view(line).substr(0, by);
  if (by != std::string::npos) {
    std::string_view host = std::string_view(line).substr(by + 4);
    found.is_ours = text::equals_ignoring_case(host.substr(0, host.find(' ')), hostname);
  }
  constexpr std::string_view word = "from ";
  if (!text::starts_with_ignoring_case(from, word)) return found;
  const auto helo = smtp::parse_greeting(from.substr(word.size()));
  if (helo) found.helo = *helo;
  for (std::size_t open = from.find('['); open != std::string_view::npos; open = from.find('[', open + 1)) {
    std::string_view literal = from.substr(open + 1, from.find(']', open) - open - 1);
    if (text::starts_with_ignoring_case(literal, "IPv6:")) literal.remove_prefix(5);
    found.ip = IpAddress::parse(literal);
    if (found.ip) break;
  }
  return found;
}

ReceivedFrom find_client(const mail::HeaderSection& header, std::string_view hostname) {
  std::optional<ReceivedFrom> topmost;
  for (const mail::HeaderField* field : header.find_all("Received")) {
    ReceivedFrom found = read_received(*field, hostname);
    if (!found.ip) continue;
    if (found.is_ours) return found;
    if (!topmost) topmost = std::move(found);
  }
  return topmost.value_or(ReceivedFrom{});
}

std::vector<const std::string*> own_domains(const config::Settings& settings) {
  std::vector<const std::string*> domains;
  for (const auto& [name, tenant] : settings.tenants) {
    for (const std::string& domain : tenant.domains) domains.push_back(&domain);
  }
  return domains;
}

bool is_ours(std::string_view address, const config::Settings& settings) {
  const std::string domain = text::to_lower(address.substr(address.rfind('@') + 1));
  const auto domains = own_domains(settings);
  return std::any_of(domains.begin(), domains.end(), [&domain](const std::string* pattern) {
    return *pattern == domain || domain_matches(domain, *pattern);
  });
}

void assume_client(Envelope& envelope, const GivenEnvelope& given, const mail::HeaderSection& header,
                   std::string_view hostname) {
  const ReceivedFrom received = find_client(header, hostname);
  if (given.ip) {
    envelope.ip = *given.ip;
  } else if (received.ip) {
    envelope.ip = *received.ip;
    envelope.assumed.emplace_back("ip: from a Received field");
  } else {
    envelope.ip = IpAddress::v4({127, 0, 0, 1});
    envelope.assumed.emplace_back("ip: the message tells of no client");
  }
  if (!given.helo.empty()) {
    envelope.helo = given.helo;
  } else if (!received.helo.empty() && received.ip == envelope.ip) {
    envelope.helo = received.helo;
    envelope.assumed.emplace_back("helo: from the same Received field");
  } else {
    envelope.helo = envelope.ip.to_literal();
    envelope.assumed.emplace_back("helo: the client's address");
  }
}

void assume_sender(Envelope& envelope, const GivenEnvelope& given, const mail::HeaderSection& header) {
  if (given.from) {
    envelope.from = *given.from;
    return;
  }
  for (const char* name : {"Return-Path", "From"}) {
    const mail::HeaderField* field = header.find(name);
    if (!field) continue;
    const auto address = canonical(mail::first_address(field->value), smtp::PathKind::reverse);
    if (!address) continue;
    envelope.from = *address;
    envelope.assumed.push_back("from: the " + std::string(name) + " field");
    return;
  }
  envelope.assumed.emplace_back("from: the message names no sender");
}

void assume_recipients(Envelope& envelope, const GivenEnvelope& given, const mail::HeaderSection& header,
                       const config::Settings& settings) {
  envelope.to = given.to;
  if (!envelope.to.empty()) return;
  for (const char* name : {"Delivered-To", "X-Original-To", "To", "Cc"}) {
    for (const mail::HeaderField* field : header.find_all(name)) {
      const auto address = canonical(mail::first_address(field->value), smtp::PathKind::forward);
      if (!address || !is_ours(*address, settings)) continue;
      envelope.to.push_back(*address);
      envelope.assumed.push_back("to: the " + std::string(name) + " field");
      return;
    }
  }
  const auto domains = own_domains(settings);
  std::string domain = domains.empty() ? settings.hostname : *domains.front();
  if (domain.starts_with("*.")) domain.replace(0, 1, "any");
  envelope.to.push_back("somebody@" + domain);
  envelope.assumed.emplace_back("to: the message names no recipient of ours");
}

}  // namespace

Result<StoredMessage> read_stored_message(std::string octets) {
  StoredMessage message;
  if (octets.empty()) return Failure{"it is empty"};
  if (octets.find("\r\n") == std::string::npos && octets.find('\n') != std::string::npos) {
    octets = with_crlf(octets);
    message.notes.emplace_back("LF line ends are taken as CRLF");
  }
  if (octets.starts_with("From ")) {
    octets.erase(0, octets.find("\r\n") == std::string::npos ? octets.size() : octets.find("\r\n") + 2);
    message.notes.emplace_back("the \"From \" line of a mailbox file is left out");
  }
  const mail::HeaderSection header(header_of(octets));
  if (header.fields().empty() || header.fields().front().name.empty()) {
    return Failure{"it does not begin with a header field such as \"From: ann@example.org\""};
  }
  message.content = std::move(octets);
  return message;
}

Envelope make_envelope(const GivenEnvelope& given, std::string_view content, const config::Settings& settings) {
  Envelope envelope;
  envelope.tls = given.tls;
  const mail::HeaderSection header(header_of(content));
  assume_client(envelope, given, header, settings.hostname);
  assume_sender(envelope, given, header);
  assume_recipients(envelope, given, header, settings);
  return envelope;
}

}  // namespace sallyport::explain
