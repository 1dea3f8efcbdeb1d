// What was found out about a mail and its client, with the evidence. Judges decide from this and nothing else, so that
// the same verdict can be shown, logged and replayed later.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/base/units.h"
#include "gateway/dns/answer.h"
#include "policies/api/auth_facts.h"

namespace sallyport::policies {

struct DnsblFacts {
  struct Hit {
    std::string zone;
    std::vector<std::string> codes;  // the answers that counted: "127.0.0.2"
    double score = 0;
  };
  std::vector<Hit> hits;
  std::vector<std::string> failed_zones;  // not found out: never recorded as clean (I9)
  std::vector<dns::Evidence> evidence;
};

// One rate that was asked for, and its answer.
struct RateFact {
  std::string name;  // connect_per_ip, mail_per_ip, rcpt_per_sender_domain
  std::string key;
  Rate rate;
  bool allowed = true;
  Duration retry_after{};
};

struct RateFacts {
  std::optional<RateFact> connect;
  std::optional<RateFact> mail;
  std::optional<RateFact> rcpt;
};

struct HeloFacts {
  enum class Finding : std::uint8_t {
    ok,
    bare_ip,
    literal_of_another,
    not_fully_qualified,
    localhost,
    own_name,
    bad_syntax,
  };
  Finding finding = Finding::ok;
};

// What the Lua rules that ran had to say, in order.
struct RuleFact {
  std::string rule;
  std::string stage;
  std::string verdict;  // reject, tempfail, discard, drop, tag, accept, hit, or error
  int code = 0;
  std::string dsn;
  std::string text;  // reply text, or reason
  double score = 0;
  std::string detail;
  std::string file;  // of an error
  int line = 0;
  std::vector<std::pair<std::string, std::string>> add_headers;
  std::string subject_prefix;
  std::vector<std::string> skip;  // accept{skip = {...}}
  bool shadow = false;            // the rule's own mode
};

struct RulesFacts {
  std::vector<RuleFact> rules;
};

struct Facts {
  DnsblFacts dnsbl;
  RateFacts rate;
  HeloFacts helo;
  RdnsFacts rdns;
  SpfFacts spf;
  DkimFacts dkim;
  ArcFacts arc;
  DmarcFacts dmarc;
  RulesFacts rules;
};

}  // namespace sallyport::policies
