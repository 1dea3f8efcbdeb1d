// Applies settings to the facts of DNS lists: which hits count, and how much.
//
// The facts may have been gathered with other settings (those of all tenants, or those in force when a mail was
// recorded). Scores, codes and skipped networks are taken from the settings given here; a list that these do not have
// does not count.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policies/api/transaction.h"
#include "policies/dnsbl/facts.h"
#include "policies/dnsbl/settings.h"

namespace sallyport::policies {

struct Listing {
  std::string list;                // its public name
  std::vector<std::string> codes;  // those that count
  double score = 0;
  std::string_view text;  // of the reply, as configured; points into the settings
};

// In the order of the facts.
std::vector<Listing> listings(const Client& client, const DnsblFacts& facts, const DnsblSettings& settings);

struct Unanswered {
  std::string list;  // its public name
  std::string why;   // in words
};

std::vector<Unanswered> unanswered(const Client& client, const DnsblFacts& facts, const DnsblSettings& settings);

double sum_of(const std::vector<Listing>& listings);
// The one with the highest score, the first of equals; null when there is none.
const Listing* worst_of(const std::vector<Listing>& listings);

// "zen.dnsbl.example=127.0.0.2,127.0.0.4".
std::string describe(const Listing& listing);

}  // namespace sallyport::policies
