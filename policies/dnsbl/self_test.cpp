// The test points of DNS lists (RFC 5782, 5; threats.md D9).
#include <vector>

#include "gateway/async/when.h"
#include "gateway/base/text.h"
#include "policies/api/ask.h"
#include "policies/dnsbl/gatherer.h"
#include "policies/dnsbl/list_answer.h"
#include "policies/dnsbl/list_name.h"

namespace sallyport::policies {

namespace {

// As octets, because IpAddress would turn the mapped addresses into IPv4 ones.
constexpr std::string_view listed_point("\x7f\0\0\x02", 4);                                      // 127.0.0.2
constexpr std::string_view unlisted_point("\x7f\0\0\x01", 4);                                    // 127.0.0.1
constexpr std::string_view listed_point_ipv6("\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\x02", 16);    // ::FFFF:127.0.0.2
constexpr std::string_view unlisted_point_ipv6("\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\x01", 16);  // ::FFFF:127.0.0.1

// The answers of one family's points.
struct Points {
  const dns::Answer& listed;
  const dns::Answer& unlisted;
};

// A test point may be listed under any code that means a listing, but not under an error code.
bool is_listing(const dns::Answer& answer) {
  static const std::vector<ReplyRange> any{{IpAddress::v4({127, 0, 0, 0}), IpAddress::v4({127, 255, 255, 255})}};
  return read_list_answer(answer, any).status == ListStatus::hit;
}

// "127.255.255.254": what a list says that does not serve our resolver; empty when it says no such thing.
std::string refusals_in(const dns::Answer& answer) {
  static const IpNetwork refusals = IpNetwork::of(IpAddress::v4({127, 255, 255, 0}), 24);
  std::vector<std::string> codes;
  for (const dns::RecordData& record : answer.records) {
    const auto* code = std::get_if<IpAddress>(&record);
    if (code != nullptr && refusals.contains(*code)) codes.push_back(code->to_string());
  }
  return text::join(codes, ",");
}

// Why a list must not be used, by its points; empty: it may. Nothing: they do not tell, as the list did not answer.
// `prefix` is that of the points' names, "" or "::FFFF:".
std::optional<std::string> objection(const Points& points, SelfTest mode, bool was_listed, std::string_view prefix) {
  const std::string listed_name = std::string(prefix) + "127.0.0.2";
  const std::string unlisted_name = std::string(prefix) + "127.0.0.1";
  for (const auto& [answer, name] : {std::pair(&points.unlisted, &unlisted_name), {&points.listed, &listed_name}}) {
    const std::string codes = refusals_in(*answer);
    if (!codes.empty()) {
      return "answered " + codes + " for " + *name +
             ": the list does not serve our resolver, or had too many questions";
    }
  }
  if (points.unlisted.found()) return unlisted_name + " is listed";
  if (points.unlisted.failed() || points.listed.failed()) return std::nullopt;
  if (is_listing(points.listed)) return std::string();
  if (mode == SelfTest::on) return listed_name + " is not listed";
  return was_listed ? listed_name + " is not listed any more" : std::string();
}

ListHealth::Tested judge(const DnsList& list, const Points& ipv4, const Points& ipv6) {
  ListHealth::Tested found;
  found.is_listed = is_listing(ipv4.listed);
  found.is_listed_ipv6 = is_listing(ipv6.listed);
  if (auto wrong = objection(ipv4, list.self_test, list.health.was_listed(), "")) {
    found.passes = wrong->empty();
    found.reason = std::move(*wrong);
  }
  if (auto wrong = objection(ipv6, list.self_test, list.health.was_listed_ipv6(), "::FFFF:")) {
    found.serves_ipv6 = wrong->empty();
    found.ipv6_reason = std::move(*wrong);
  }
  found.has_no_ipv6 = !list.health.was_listed_ipv6() && ipv6.listed.is_absent() && ipv6.unlisted.is_absent();
  return found;
}

}  // namespace

Task<void> DnsblGatherer::self_test(GatherContext context) const {
  std::vector<Task<void>> tests;
  for (const DnsList& list : lists_) {
    if (list.self_test == SelfTest::off || !list.health.begin_test(context.scheduler.now())) continue;
    tests.push_back(test(list, context));
  }
  co_await async::when_all(context.scheduler, std::move(tests));
}

Task<void> DnsblGatherer::test(const DnsList& list, GatherContext context) {
  std::vector<dns::Question> questions;
  for (std::string_view point : {listed_point, unlisted_point, listed_point_ipv6, unlisted_point_ipv6}) {
    auto name = list_query_name(point, list.zone);
    if (!name) co_return;
    questions.push_back({std::move(*name), dns::Type::A});
  }
  const std::vector<dns::Evidence> asked = co_await ask_all(std::move(questions), context);
  const ListHealth::Tested found = judge(list, {asked[0].answer, asked[1].answer}, {asked[2].answer, asked[3].answer});
  if (!list.health.tested(context.scheduler.now(), found)) co_return;

  const std::string_view kind = sallyport::name(Fault::dnsbl_wildcard);
  if (!list.health.passes_test()) {
    context.counters.add(Fault::dnsbl_wildcard);
    context.log.write(LogLevel::error, "fault", {{"kind", kind}, {"zone", list.name}, {"reason", found.reason}});
  } else if (!list.health.serves_ipv6()) {
    if (found.has_no_ipv6) co_return;
    context.counters.add(Fault::dnsbl_wildcard);
    const std::string reason = "not asked about IPv6 clients: " + found.ipv6_reason;
    context.log.write(LogLevel::warning, "fault", {{"kind", kind}, {"zone", list.name}, {"reason", reason}});
  } else {
    context.log.write(LogLevel::info, "recovered", {{"kind", kind}, {"zone", list.name}});
  }
}

}  // namespace sallyport::policies
