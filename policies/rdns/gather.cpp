#include <algorithm>
#include <utility>

#include "gateway/base/domain_name.h"
#include "gateway/base/text.h"
#include "gateway/dns/reverse_name.h"
#include "policies/rdns/rdns.h"

namespace sallyport::policies {

namespace {

constexpr std::size_t most_names = 10;
constexpr Duration patience = std::chrono::seconds(5);

// The valid host names among the first 10, in lower case.
std::vector<std::string> host_names(const dns::Answer& answer) {
  std::vector<std::string> names;
  const std::size_t count = std::min(answer.records.size(), most_names);
  for (std::size_t i = 0; i < count; ++i) {
    const auto* name = std::get_if<std::string>(&answer.records[i]);
    if (name && is_domain_name(*name)) names.push_back(text::to_lower(*name));
  }
  return names;
}

bool has_record(const dns::Answer& answer, const dns::RecordData& wanted) {
  return std::find(answer.records.begin(), answer.records.end(), wanted) != answer.records.end();
}

}  // namespace

Task<RdnsFacts> gather_rdns(IpAddress client, const GatherContext& context) {
  const Time deadline = std::min(context.deadline, context.scheduler.now() + patience);
  RdnsFacts facts;
  dns::Question question{dns::reverse_name(client), dns::Type::PTR};
  dns::Answer answer = co_await context.resolver.lookup(question, deadline);
  facts.names = host_names(answer);
  if (answer.found()) {
    facts.result = AuthResult::fail;
  } else {
    facts.result = answer.is_absent() ? AuthResult::permerror : AuthResult::temperror;
  }
  facts.evidence.push_back({std::move(question), std::move(answer)});
  if (!facts.names.empty()) facts.name = facts.names.front();

  for (const std::string& name : facts.names) {
    question = {name, client.is_v4() ? dns::Type::A : dns::Type::AAAA};
    answer = co_await context.resolver.lookup(question, deadline);
    const bool is_confirmed = has_record(answer, client);
    // Another name may still lead back; if none does, one look-up has failed, so the result is temperror and not fail.
    if (answer.failed()) facts.result = AuthResult::temperror;
    facts.evidence.push_back({std::move(question), std::move(answer)});
    if (is_confirmed) {
      facts.result = AuthResult::pass;
      facts.name = name;
      break;
    }
  }
  co_return facts;
}

}  // namespace sallyport::policies
