// DNS lists of client addresses (RFC 5782): asked at connect, all at once; judged at RCPT, and with the whole message.
//
// The scores of the lists that hit are summed. At reject_at the recipient is refused, postmaster@ and abuse@ aside;
// below it the sum counts towards policy.actions. A list that cannot be asked, or answers with an error, counts for
// nothing and is recorded as failed, never as clean (threats.md D8-D10, I9).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "policies/api/policy.h"
#include "policies/dnsbl/list_answer.h"
#include "policies/dnsbl/list_health.h"
#include "policies/dnsbl/settings.h"

namespace sallyport::policies {

class DnsblPolicy final : public Policy {
 public:
  explicit DnsblPolicy(DnsblSettings settings);

  std::string_view name() const override { return "dnsbl"; }
  Mode mode() const override { return settings_.mode; }
  bool gathers_at(Stage stage) const override { return stage == Stage::connect && !lists_.empty(); }
  bool judges_at(Stage stage) const override;
  Task<void> gather(Stage stage, const Transaction& mail, Facts& facts, const Surroundings& around) const override;
  Verdict judge(Stage stage, const Transaction& mail, const Facts& facts) const override;

  // Asks the lists with self_test for their test points: 127.0.0.2 must be listed and 127.0.0.1 not, or the list is not
  // asked until it is so again; ::FFFF:127.0.0.2 must be, or it is not asked about IPv6 clients.
  Task<void> self_test(Surroundings around) const override;

 private:
  struct List {
    std::string zone;
    std::string public_name;
    double score = 0;
    std::vector<ReplyRange> reply;
    bool self_test = false;
    // What a list has shown itself to be is learned while asking; it is no part of any mail's facts.
    std::unique_ptr<ListHealth> health;
  };

  bool is_skipped(const IpAddress& client) const;
  static void record(const List& list, const dns::Answer& answer, DnsblFacts& found, const Surroundings& around);
  static Task<void> test(const List& list, Surroundings around);

  DnsblSettings settings_;
  std::vector<List> lists_;
};

// The verdict from the facts alone.
Verdict judge_dnsbl(Stage stage, const Transaction& mail, const DnsblFacts& facts, const DnsblSettings& settings);

}  // namespace sallyport::policies
