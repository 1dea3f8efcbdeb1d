#include "policies/helo/helo.h"

#include <algorithm>
#include <optional>

#include "gateway/base/domain_name.h"
#include "gateway/base/text.h"

namespace sallyport::policies {

using Finding = HeloFacts::Finding;

namespace {

// The address in "[192.0.2.1]" or "[IPv6:2001:db8::1]" (RFC 5321, 4.1.3).
std::optional<IpAddress> read_literal(std::string_view helo) {
  if (!helo.ends_with(']')) return std::nullopt;
  std::string_view address = helo.substr(1, helo.size() - 2);
  constexpr std::string_view ipv6_tag = "IPv6:";
  const bool tagged = text::starts_with_ignoring_case(address, ipv6_tag);
  if (tagged) address.remove_prefix(ipv6_tag.size());
  return IpAddress::parse(address);
}

bool is_localhost(std::string_view name) {
  for (std::string_view local : {"localhost", "localdomain"}) {
    if (text::equals_ignoring_case(name, local)) return true;
    if (text::ends_with_ignoring_case(name, "." + std::string(local))) return true;
  }
  return false;
}

std::string_view describe(Finding finding) {
  switch (finding) {
    case Finding::ok:
      return "in order";
    case Finding::bare_ip:
      return "an address without brackets";
    case Finding::literal_of_another:
      return "the address of another";
    case Finding::not_fully_qualified:
      return "not fully qualified";
    case Finding::localhost:
      return "the name of every host";
    case Finding::own_name:
      return "our own name";
    case Finding::bad_syntax:
      return "not a host name";
  }
  return "unknown";
}

}  // namespace

OwnNames::OwnNames(std::string hostname, const std::vector<std::string>& domains) {
  names_.push_back(std::move(hostname));
  for (const std::string& domain : domains) {
    if (!domain.starts_with("*.")) names_.push_back(domain);
  }
}

bool OwnNames::contain(std::string_view name) const {
  return std::any_of(names_.begin(), names_.end(),
                     [name](const std::string& own) { return text::equals_ignoring_case(own, name); });
}

Finding examine_helo(std::string_view helo, const IpAddress& client, const OwnNames& own) {
  if (helo.starts_with('[')) {
    const auto literal = read_literal(helo);
    if (!literal) return Finding::bad_syntax;
    return *literal == client ? Finding::ok : Finding::literal_of_another;
  }
  if (IpAddress::parse(helo)) return Finding::bare_ip;
  if (helo.ends_with('.')) helo.remove_suffix(1);
  if (!is_domain_name(helo)) return Finding::bad_syntax;
  const bool is_ourselves = client.is_loopback();
  if (own.contain(helo)) return is_ourselves ? Finding::ok : Finding::own_name;
  if (is_localhost(helo)) return is_ourselves ? Finding::ok : Finding::localhost;
  return helo.find('.') == std::string_view::npos ? Finding::not_fully_qualified : Finding::ok;
}

Task<void> HeloPolicy::gather(Stage, const Transaction& mail, Facts& facts, const Surroundings&) const {
  facts.helo.finding = examine_helo(mail.client.helo, mail.client.ip, own_);
  co_return;
}

Verdict HeloPolicy::judge(Stage stage, const Transaction& mail, const Facts& facts) const {
  return judge_helo(stage, mail, facts.helo, settings_);
}

Verdict judge_helo(Stage stage, const Transaction& mail, const HeloFacts& facts, const HeloSettings& settings) {
  if (facts.finding == Finding::ok) return Verdict::none();
  Verdict verdict;
  if (facts.finding == Finding::own_name) {
    if (stage != Stage::mail) return Verdict::none();
    verdict = Verdict::reject("5.7.1", "HELO with the name of this server");
  } else {
    if (stage != Stage::message) return Verdict::none();
    verdict.score = settings.score;
  }
  verdict.because = "HELO " + mail.client.helo + " is " + std::string(describe(facts.finding));
  return verdict;
}

}  // namespace sallyport::policies
