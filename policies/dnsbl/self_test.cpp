// The test points of DNS lists (RFC 5782, 5; threats.md D9).
#include "gateway/async/when.h"
#include "policies/api/ask.h"
#include "policies/dnsbl/gatherer.h"
#include "policies/dnsbl/list_answer.h"
#include "policies/dnsbl/list_name.h"

namespace sallyport::policies {

namespace {

constexpr std::string_view listed_point("\x7f\0\0\x02", 4);    // 127.0.0.2
constexpr std::string_view unlisted_point("\x7f\0\0\x01", 4);  // 127.0.0.1
// ::FFFF:127.0.0.2 as octets, because IpAddress would turn it into 127.0.0.2.
constexpr std::string_view listed_point_ipv6("\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\x02", 16);

// A test point may be listed under any code that means a listing, but not under an error code.
bool is_listing(const dns::Answer& answer) {
  static const std::vector<ReplyRange> any{{IpAddress::v4({127, 0, 0, 0}), IpAddress::v4({127, 255, 255, 255})}};
  return read_list_answer(answer, any).status == ListStatus::hit;
}

}  // namespace

Task<void> DnsblGatherer::self_test(GatherContext context) const {
  std::vector<Task<void>> tests;
  for (const DnsList& list : lists_) {
    if (list.self_test && list.health.begin_test(context.scheduler.now())) tests.push_back(test(list, context));
  }
  co_await async::when_all(context.scheduler, std::move(tests));
}

Task<void> DnsblGatherer::test(const DnsList& list, GatherContext context) {
  std::vector<dns::Question> questions;
  for (std::string_view point : {listed_point, unlisted_point, listed_point_ipv6}) {
    auto name = list_query_name(point, list.zone);
    if (!name) co_return;
    questions.push_back({std::move(*name), dns::Type::A});
  }
  const std::vector<dns::Evidence> points = co_await ask_all(std::move(questions), context);
  const dns::Answer& listed = points[0].answer;
  const dns::Answer& unlisted = points[1].answer;
  const dns::Answer& listed_ipv6 = points[2].answer;

  // A list that cannot be reached has failed no test; the breaker handles that case.
  if (!listed_ipv6.failed()) list.health.tested_ipv6(is_listing(listed_ipv6));
  if (listed.failed() || unlisted.failed()) co_return;
  const bool passes = is_listing(listed) && unlisted.is_absent();
  const bool passed_before = list.health.passes_test();
  list.health.tested(passes);
  const std::string_view kind = sallyport::name(Fault::dnsbl_wildcard);
  if (!passes) {
    context.counters.add(Fault::dnsbl_wildcard);
    const std::string_view reason = unlisted.found() ? "127.0.0.1 is listed" : "127.0.0.2 is not listed";
    context.log.write(LogLevel::error, "fault", {{"kind", kind}, {"zone", list.public_name}, {"reason", reason}});
  } else if (!passed_before) {
    context.log.write(LogLevel::info, "recovered", {{"kind", kind}, {"zone", list.public_name}});
  }
}

}  // namespace sallyport::policies
