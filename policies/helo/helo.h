// What a client calls itself: refused only when it takes our own name, else a score (threats.md S36; RFC 5321, 4.1.4:
// that a name does not fit the address is no ground for refusal).
//
// Names that are no names at all have been refused by the session with 501 before anything is judged here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policies/api/policy.h"
#include "policies/helo/settings.h"

namespace sallyport::policies {

// Names nobody but ourselves bears: the gateway's host name and the domains it serves. "*.example.com" stands for other
// hosts, which may well send mail from outside, and does not count.
class OwnNames {
 public:
  OwnNames(std::string hostname, const std::vector<std::string>& domains);
  bool contain(std::string_view name) const;

 private:
  std::vector<std::string> names_;
};

class HeloPolicy final : public Policy {
 public:
  HeloPolicy(HeloSettings settings, OwnNames own) : settings_(settings), own_(std::move(own)) {}

  std::string_view name() const override { return "helo"; }
  Mode mode() const override { return settings_.mode; }
  bool gathers_at(Stage stage) const override { return stage == Stage::helo; }
  bool judges_at(Stage stage) const override { return stage == Stage::mail || stage == Stage::message; }
  Task<void> gather(Stage stage, const Transaction& mail, Facts& facts, const Surroundings& around) const override;
  Verdict judge(Stage stage, const Transaction& mail, const Facts& facts) const override;

 private:
  HeloSettings settings_;
  OwnNames own_;
};

// What is to be said of `helo`, given by a client at `client`. A client on this machine (loopback) is who it says it is
// when it gives our name, or localhost.
HeloFacts::Finding examine_helo(std::string_view helo, const IpAddress& client, const OwnNames& own);

// The verdict from the facts alone.
Verdict judge_helo(Stage stage, const Transaction& mail, const HeloFacts& facts, const HeloSettings& settings);

}  // namespace sallyport::policies
