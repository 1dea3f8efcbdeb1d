#include <string>

#include "gateway/base/text.h"
#include "policies/rdns/rdns.h"

namespace sallyport::policies {

Explained explain_rdns(const Transaction& mail, const Facts& facts, const RdnsSettings&) {
  const RdnsFacts* rdns = facts.find<RdnsFacts>();
  if (!rdns) return {"not run", "", {}};
  Explained explained{std::string(word(rdns->result)), "", {}};
  const std::string ip = mail.client.ip.to_string();
  if (rdns->result == AuthResult::pass) {
    explained.fact = rdns->name;
  } else if (rdns->names.empty()) {
    explained.fact = rdns->result == AuthResult::temperror ? "the DNS does not tell" : ip + " has no usable name";
  } else {
    explained.fact = text::join(rdns->names, ", ") + " does not lead back to " + ip;
  }
  return explained;
}

}  // namespace sallyport::policies
