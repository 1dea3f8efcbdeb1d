#include "policies/reply_list.h"

#include "lua/engine/replies.h"
#include "policies/content/replies.h"
#include "policies/dmarc/replies.h"
#include "policies/dnsbl/replies.h"
#include "policies/helo/replies.h"
#include "policies/milters/replies.h"
#include "policies/rate/replies.h"
#include "policies/spf/replies.h"

namespace sallyport::policies {

std::span<const RepliesOfPolicy> reply_list() {
  static constexpr RepliesOfPolicy list[] = {
      {"rate", rate_reply::all},       {"helo", helo_reply::all},        {"dnsbl", dnsbl_reply::all},
      {"spf", spf_reply::all},         {"dmarc", dmarc_reply::all},      {"content", content_reply::all},
      {"milters", milters_reply::all}, {"rules", lua::rules_reply::all},
  };
  return list;
}

}  // namespace sallyport::policies
