#include "gateway/report/destination.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "gateway/base/a_labels.h"
#include "gateway/base/domain_name.h"
#include "gateway/base/text.h"

namespace sallyport::report {

namespace {

constexpr std::size_t most_name_octets = 253;
constexpr std::size_t most_local_octets = 64;

bool is_dot_atom(std::string_view text) {
  if (text.front() == '.' || text.back() == '.' || text.find("..") != std::string_view::npos) return false;
  // RFC 5322, 3.2.3: atext.
  return std::all_of(text.begin(), text.end(), [](char c) {
    return text::is_alnum(c) || std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != std::string_view::npos;
  });
}

// "%2C" becomes ",". Nothing when a "%" is followed by anything but two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const auto octet = text::from_hex(text.substr(i + 1, 2));
    if (!octet || octet->size() != 1) return std::nullopt;
    decoded += *octet;
    i += 2;
  }
  return decoded;
}

// The local part as it stands in a mail address; nothing when it is none that we send to. Quotes around it may be there
// or not: both mean the same.
std::optional<std::string> local_part(std::string_view encoded) {
  auto text = percent_decoded(encoded);
  if (!text || text->empty() || text->size() > most_local_octets) return std::nullopt;
  const bool is_printable =
      std::all_of(text->begin(), text->end(), [](char c) { return text::is_printable(c) && c != ' '; });
  if (!is_printable) return std::nullopt;
  if (is_dot_atom(*text)) return text;
  // Other characters stand in a URI by their codes only (RFC 6068, 2).
  if (encoded.find('%') == std::string_view::npos) return std::nullopt;
  const bool is_quoted = text->size() > 2 && text->front() == '"' && text->back() == '"';
  const std::string content = is_quoted ? text->substr(1, text->size() - 2) : *text;
  // Nothing that would end the quotes, or an address in angle brackets for a careless reader.
  if (content.find_first_of("\"\\<>") != std::string::npos) return std::nullopt;
  return is_dot_atom(content) ? content : '"' + content + '"';
}

// The tags after the version; nothing if the record does not begin with it (RFC 9990, 4: "v=DMARC1", and the rest may
// be missing).
std::optional<std::string_view> tags_of(std::string_view record) {
  const std::size_t end = record.find(';');
  const std::string_view first = record.substr(0, end);
  const std::size_t equals = first.find('=');
  if (equals == std::string_view::npos || text::trim(first.substr(0, equals)) != "v" ||
      text::trim(first.substr(equals + 1)) != "DMARC1")
    return std::nullopt;
  return end == std::string_view::npos ? std::string_view() : record.substr(end + 1);
}

// The value of rua=; nothing if there is none.
std::optional<std::string_view> find_rua(std::string_view tags) {
  for (const std::string_view tag : text::split(tags, ';')) {
    const std::size_t equals = tag.find('=');
    if (equals == std::string_view::npos) continue;
    if (text::equals_ignoring_case(text::trim(tag.substr(0, equals)), "rua")) return text::trim(tag.substr(equals + 1));
  }
  return std::nullopt;
}

}  // namespace

std::optional<Mailbox> parse_mailto(std::string_view uri) {
  uri = text::trim(uri);
  constexpr std::string_view scheme = "mailto:";
  if (!text::starts_with_ignoring_case(uri, scheme)) return std::nullopt;
  uri.remove_prefix(scheme.size());
  uri = uri.substr(0, uri.find_first_of("?!"));
  const std::size_t at = uri.find('@');
  if (at == std::string_view::npos) return std::nullopt;
  const auto local = local_part(uri.substr(0, at));
  const auto decoded_host = percent_decoded(uri.substr(at + 1));
  auto host = decoded_host ? to_a_labels(*decoded_host) : std::nullopt;
  if (!local || !host || !is_domain_name(*host, false)) return std::nullopt;
  return Mailbox{*local + '@' + *host, std::move(*host)};
}

std::optional<std::string> authorization_name(std::string_view policy_domain, std::string_view host) {
  std::string name = std::string(policy_domain) + "._report._dmarc." + std::string(host);
  if (name.size() > most_name_octets) return std::nullopt;
  return text::to_lower(name);
}

Destination judge_destination(const Mailbox& mailbox, const dns::Answer& answer) {
  if (answer.failed()) return {Destination::Answer::unknown, {}, "whether it agrees could not be asked for"};
  bool agrees = false;
  for (const dns::RecordData& record : answer.records) {
    const auto* octets = std::get_if<std::string>(&record);
    const auto tags = octets ? tags_of(*octets) : std::nullopt;
    if (!tags) continue;
    agrees = true;
    const auto rua = find_rua(*tags);
    if (!rua) continue;
    // It may name another address, but only at the same host (RFC 9990, 4, step 7).
    for (const std::string_view uri : text::split(*rua, ',')) {
      const auto instead = parse_mailto(uri);
      if (instead && instead->host == mailbox.host) return {Destination::Answer::allowed, instead->address, {}};
    }
    return {Destination::Answer::refused, {}, mailbox.host + " names an address elsewhere instead"};
  }
  if (!agrees) return {Destination::Answer::refused, {}, mailbox.host + " has not agreed to get reports about it"};
  return {Destination::Answer::allowed, mailbox.address, {}};
}

Task<Destination> ask_destination(std::string policy_domain, Mailbox mailbox, io::Resolver& resolver, Time deadline) {
  auto name = authorization_name(policy_domain, mailbox.host);
  if (!name) co_return Destination{Destination::Answer::refused, {}, "the name to ask would be too long"};
  dns::Question question{std::move(*name), dns::Type::TXT};
  const dns::Answer answer = co_await resolver.lookup(std::move(question), deadline);
  co_return judge_destination(mailbox, answer);
}

}  // namespace sallyport::report
