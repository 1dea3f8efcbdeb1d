#include "policies/lists/self_test.h"

#include <new>
#include <string_view>
#include <utility>

#include "gateway/async/when.h"
#include "gateway/base/text.h"
#include "policies/api/ask.h"
#include "policies/lists/list_answer.h"
#include "policies/lists/list_name.h"

namespace sallyport::policies {

namespace {

// The answers for two points.
struct Answers {
  const dns::Answer& listed;
  const dns::Answer& unlisted;
};

// A test point may be listed under any code that means a listing, but not under an error code.
bool is_listing(const dns::Answer& answer) {
  static const std::vector<ReplyRange> any{{IpAddress::v4({127, 0, 0, 0}), IpAddress::v4({127, 255, 255, 255})}};
  return read_list_answer(answer, any).status == ListStatus::hit;
}

// The codes of which this is true: "127.255.255.254,127.255.255.255".
std::string codes_in(const dns::Answer& answer, bool (*is_meant)(const IpAddress&)) {
  std::vector<std::string> codes;
  for (const dns::RecordData& record : answer.records) {
    const auto* code = std::get_if<IpAddress>(&record);
    if (code != nullptr && is_meant(*code)) codes.push_back(code->to_string());
  }
  return text::join(codes, ",");
}

// What a list says that does not serve our resolver; empty when it says no such thing.
std::string refusals_in(const dns::Answer& answer) { return codes_in(answer, is_refusal); }

// What no list says: the zone has been given up and sold, or the resolver leads names that do not exist elsewhere.
std::string nonsense_in(const dns::Answer& answer) {
  return is_listing(answer) ? std::string() : codes_in(answer, is_list_error);
}

// Why a list must not be used, by its points; empty: it may. Nothing: they do not tell, as the list did not answer.
std::optional<std::string> objection(const TestPoints& points, const Answers& answers, SelfTest mode, bool was_listed) {
  for (const auto& [answer, point] :
       {std::pair(&answers.unlisted, &points.unlisted), {&answers.listed, &points.listed}}) {
    const std::string codes = refusals_in(*answer);
    if (!codes.empty()) {
      return "answered " + codes + " for " + point->shown +
             ": the list does not serve our resolver, or had too many questions";
    }
  }
  if (const std::string nonsense = nonsense_in(answers.unlisted); !nonsense.empty()) {
    return "answered " + nonsense + " for " + points.unlisted.shown +
           ", which no list does: its zone may have been given up, or the resolver redirects";
  }
  if (answers.unlisted.found()) return points.unlisted.shown + " is listed";
  if (answers.unlisted.failed() || answers.listed.failed()) return std::nullopt;
  if (is_listing(answers.listed)) return std::string();
  if (mode == SelfTest::on) return points.listed.shown + " is not listed";
  return was_listed ? points.listed.shown + " is not listed any more" : std::string();
}

ListHealth::Tested judge(const DnsList& list, const ListTest& test, const std::vector<dns::Evidence>& asked) {
  ListHealth::Tested found;
  const Answers answers{asked[0].answer, asked[1].answer};
  found.is_listed = is_listing(answers.listed);
  if (auto wrong = objection(test.points, answers, list.self_test, list.health.was_listed())) {
    found.passes = wrong->empty();
    found.reason = std::move(*wrong);
    found.is_refusal = !refusals_in(answers.listed).empty() || !refusals_in(answers.unlisted).empty();
  }
  if (!test.ipv6) return found;
  const Answers ipv6{asked[2].answer, asked[3].answer};
  found.is_listed_ipv6 = is_listing(ipv6.listed);
  if (auto wrong = objection(*test.ipv6, ipv6, list.self_test, list.health.was_listed_ipv6())) {
    found.serves_ipv6 = wrong->empty();
    found.ipv6_reason = std::move(*wrong);
  }
  found.has_no_ipv6 = !list.health.was_listed_ipv6() && ipv6.listed.is_absent() && ipv6.unlisted.is_absent();
  return found;
}

void log_news(const DnsList& list, const ListHealth::Tested& found, const GatherContext& context) {
  const std::string_view kind = sallyport::name(Fault::dnsbl_wildcard);
  if (!list.health.passes_test()) {
    context.counters.add(Fault::dnsbl_wildcard);
    context.log.write(LogLevel::error, "fault", {{"kind", kind}, {"zone", list.name}, {"reason", found.reason}});
  } else if (!list.health.serves_ipv6()) {
    if (found.has_no_ipv6) return;
    context.counters.add(Fault::dnsbl_wildcard);
    const std::string reason = "not asked about IPv6 clients: " + found.ipv6_reason;
    context.log.write(LogLevel::warning, "fault", {{"kind", kind}, {"zone", list.name}, {"reason", reason}});
  } else {
    context.log.write(LogLevel::info, "recovered", {{"kind", kind}, {"zone", list.name}});
  }
}

Task<void> test_list(const DnsList& list, const ListTest& test, const GatherContext& context) {
  std::vector<dns::Question> questions;
  const auto ask_for = [&](const TestPoints& points) {
    for (const TestPoint* point : {&points.listed, &points.unlisted}) {
      questions.push_back({point->labels + list.zone, dns::Type::A});
    }
  };
  ask_for(test.points);
  if (test.ipv6) ask_for(*test.ipv6);
  for (const dns::Question& question : questions) {
    if (question.name.size() > max_question_octets) co_return;
  }
  const std::vector<dns::Evidence> asked = co_await ask_all(std::move(questions), context);
  const ListHealth::Tested found = judge(list, test, asked);
  if (!list.health.tested(context.scheduler.now(), found)) co_return;
  try {
    log_news(list, found, context);
  } catch (const std::bad_alloc&) {
    context.counters.add(Fault::log);  // the line is lost; what is known of the list is not
  }
}

}  // namespace

Task<void> test_lists(const std::vector<DnsList>& lists, ListTest test, GatherContext context) {
  std::vector<Task<void>> tests;
  for (const DnsList& list : lists) {
    if (list.self_test == SelfTest::off || !list.health.begin_test(context.scheduler.now())) continue;
    tests.push_back(test_list(list, test, context));
  }
  co_await async::when_all(context.scheduler, std::move(tests));
}

}  // namespace sallyport::policies
