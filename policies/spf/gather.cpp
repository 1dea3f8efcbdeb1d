// What is asked for a mail: which identities there are, and their checks at once.
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "gateway/async/when.h"
#include "gateway/base/a_labels.h"
#include "gateway/base/domain_name.h"
#include "gateway/base/text.h"
#include "policies/spf/evaluate.h"
#include "policies/spf/spf.h"

namespace sallyport::policies {

namespace {

// RFC 7208, 4.6.4: no less than 20 seconds for a whole evaluation; the stage's own deadline may come first.
constexpr Duration patience = std::chrono::seconds(20);

// A HELO that is the name of a host: no literal, no bare address, more than one label (RFC 7208, 2.3).
std::optional<std::string> host_name(std::string_view helo) {
  if (IpAddress::parse(helo)) return std::nullopt;
  auto name = to_a_labels(helo);
  if (!name || !is_domain_name(*name) || name->find('.') == std::string::npos) return std::nullopt;
  return name;
}

spf::Identity identity_of(const Transaction& mail, std::string local, std::string domain, const std::string& hostname) {
  return {mail.client.ip, std::move(local), std::move(domain), mail.client.helo, hostname, mail.now};
}

}  // namespace

Task<SpfFacts> gather_spf(const Transaction& mail, const std::string& hostname, const GatherContext& context) {
  const Time deadline = std::min(context.deadline, context.scheduler.now() + patience);
  const auto helo = host_name(mail.client.helo);
  const bool is_null = !mail.from || mail.from->domain.empty();
  const auto domain = is_null ? helo : to_a_labels(mail.from->domain);

  std::vector<Task<SpfFacts::Check>> checks;
  if (helo) {
    spf::Identity greeting = identity_of(mail, "postmaster", *helo, hostname);
    checks.push_back(spf::evaluate(std::move(greeting), context.resolver, deadline));
  }
  if (domain && !is_null) {
    const std::string& local = mail.from->local;
    spf::Identity sender = identity_of(mail, local.empty() ? "postmaster" : local, *domain, hostname);
    checks.push_back(spf::evaluate(std::move(sender), context.resolver, deadline));
  }
  std::vector<SpfFacts::Check> found = co_await async::when_all(context.scheduler, std::move(checks));

  SpfFacts facts;
  if (!domain) {
    // A literal, or a greeting that is no host name: nothing that could have a record (RFC 7208, 4.3).
    facts.mailfrom = SpfFacts::Check{};
    facts.mailfrom->domain = text::for_header(is_null ? mail.client.helo : mail.from->domain);
  } else {
    facts.mailfrom = is_null ? found.front() : std::move(found.back());
  }
  if (helo) facts.helo = std::move(found.front());
  co_return facts;
}

}  // namespace sallyport::policies
