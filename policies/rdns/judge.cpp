#include "gateway/base/text.h"
#include "policies/rdns/rdns.h"

namespace sallyport::policies {

Verdict judge_rdns(const RdnsFacts& facts, const RdnsSettings& settings) {
  Verdict verdict;
  if (facts.result == AuthResult::permerror) {
    verdict.because = "the client's address has no name";
  } else if (facts.result == AuthResult::fail && facts.names.empty()) {
    verdict.because = "the client's address has no name that a host can bear";
  } else if (facts.result == AuthResult::fail) {
    verdict.because = text::join(facts.names, ",") + " does not lead back to the client's address";
  } else {
    return Verdict::none();
  }
  verdict.score = settings.score;
  return verdict;
}

}  // namespace sallyport::policies
