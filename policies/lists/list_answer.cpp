#include "policies/lists/list_answer.h"

#include <algorithm>

namespace sallyport::policies {

bool is_listing_code(const IpAddress& code, const std::vector<ReplyRange>& reply) {
  static const ReplyRange usual{IpAddress::v4({127, 0, 0, 2}), IpAddress::v4({127, 0, 0, 254})};
  if (is_list_error(code)) return false;
  if (reply.empty()) return usual.contains(code);
  return std::any_of(reply.begin(), reply.end(), [&code](const ReplyRange& range) { return range.contains(code); });
}

ListAnswer read_list_answer(const dns::Answer& answer, const std::vector<ReplyRange>& reply) {
  if (answer.status == dns::Status::budget) return {ListStatus::not_asked, {}, false};
  if (answer.failed()) return {ListStatus::failed, {}, false};
  std::vector<std::string> hits;
  std::vector<std::string> errors;
  bool is_refusal = false;
  for (const dns::RecordData& record : answer.records) {
    const auto* code = std::get_if<IpAddress>(&record);
    if (!code) continue;
    if (is_list_error(*code)) {
      errors.push_back(code->to_string());
      is_refusal = is_refusal || policies::is_refusal(*code);
    } else if (is_listing_code(*code, reply)) {
      hits.push_back(code->to_string());
    }
  }
  if (!errors.empty()) return {ListStatus::error, std::move(errors), is_refusal};
  if (!hits.empty()) return {ListStatus::hit, std::move(hits), false};
  return {ListStatus::no_hit, {}, false};
}

}  // namespace sallyport::policies
