#include "gateway/cli/all_replies.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "gateway/session/reply_table.h"
#include "policies/reply_list.h"

namespace sallyport::cli {

std::vector<DocumentedReply> all_replies() {
  std::vector<DocumentedReply> all;
  for (session::ReplyRow& row : session::reply_table()) {
    all.push_back({row.code, std::move(row.dsn), std::move(row.text), std::move(row.kind), std::string(row.when),
                   std::string(row.remedy), row.ends_session});
  }
  for (const policies::RepliesOfPolicy& of_policy : policies::reply_list()) {
    for (const policies::ReplyText& reply : of_policy.replies) {
      all.push_back({reply.code, std::string(reply.dsn), std::string(reply.text), std::string(of_policy.policy),
                     std::string(reply.when), std::string(reply.remedy), reply.code == 421});
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const DocumentedReply& a, const DocumentedReply& b) {
    return std::tie(a.code, a.dsn) < std::tie(b.code, b.dsn);
  });
  return all;
}

}  // namespace sallyport::cli
