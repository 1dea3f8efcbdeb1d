// The rates that a mail and its client were counted for, with the answers.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/units.h"
#include "policies/api/facts.h"
#include "policies/api/stage.h"

namespace sallyport {

namespace policies {

enum class RateName : std::uint8_t {
  connect_per_ip,
  mail_per_ip,
  rcpt_per_ip,
  proven_mail_per_ip,
  rcpt_per_sender_domain,
  mail_per_rcpt,
};

}  // namespace policies

template <>
inline constexpr auto words_of<policies::RateName> = std::to_array<std::string_view>(
    {"connect_per_ip", "mail_per_ip", "rcpt_per_ip", "proven_mail_per_ip", "rcpt_per_sender_domain", "mail_per_rcpt"});

namespace policies {

// One rate that was requested, and its answer.
struct RateFact {
  RateName name = RateName::connect_per_ip;
  Stage stage = Stage::connect;
  std::string key;  // the address, network or domain that the rate is counted for
  Rate rate;
  bool allowed = true;
  bool counted = true;  // false in a dry run, which counts nothing
  Duration retry_after{};

  template <class V>
  void fields(V& visit) {
    visit("name", name);
    visit("stage", stage);
    visit("key", key);
    visit("rate", rate);
    visit("allowed", allowed);
    visit("counted", counted);
    visit("retry_after", retry_after);
  }
};

struct RateFacts {
  // In the order of the requests; of stage rcpt only those for the latest recipient, and none for one that the mail has
  // named before. A rate that is used up is the last one of its stage, because nothing more is counted for what is
  // refused. Empty for a client that is exempt.
  std::vector<RateFact> asked;

  template <class V>
  void fields(V& visit) {
    visit("asked", asked);
  }
};

extern const FactsType rate_facts;
template <>
inline const FactsType& type_of<RateFacts>() {
  return rate_facts;
}

}  // namespace policies

}  // namespace sallyport
