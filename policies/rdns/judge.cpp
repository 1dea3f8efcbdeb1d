#include <string>
#include <utility>

#include "gateway/base/text.h"
#include "policies/rdns/rdns.h"

namespace sallyport::policies {

void judge_rdns(Stage stage, const Transaction&, const Facts& facts, const RdnsSettings& settings, Verdicts& out) {
  const RdnsFacts* rdns = facts.find<RdnsFacts>();
  if (!rdns || stage != Stage::message) return;
  if (rdns->result == AuthResult::temperror) {
    out.add(Verdict::unknown("", "the DNS does not tell the client's name"));
  } else if (rdns->result == AuthResult::permerror) {
    out.add(Verdict::scored(settings.score, "the client's address has no name"));
  } else if (rdns->result == AuthResult::fail && rdns->names.empty()) {
    out.add(Verdict::scored(settings.score, "the client's address has no name that a host can bear"));
  } else if (rdns->result == AuthResult::fail) {
    std::string names = text::join(rdns->names, ",");
    out.add(Verdict::scored(settings.score, std::move(names) + " does not lead back to the client's address"));
  }
}

}  // namespace sallyport::policies
