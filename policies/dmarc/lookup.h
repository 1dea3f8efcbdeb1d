// Asks the DNS for DMARC records, on behalf of one mail: each name once. Questions and answers are kept as evidence.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/async/task.h"
#include "gateway/dns/answer.h"
#include "policies/api/gathering.h"
#include "policies/dmarc/record.h"
#include "policies/dmarc/tree_walk.h"

namespace sallyport::policies {

class DmarcLookup {
 public:
  // `context` and `evidence` outlive it.
  DmarcLookup(const GatherContext& context, std::vector<dns::Evidence>& evidence)
      : context_(context), evidence_(evidence) {}

  struct AtName {
    enum class Status : std::uint8_t { found, absent, failed };
    Status status = Status::absent;
    std::string text;  // of the record
    DmarcRecord record;
  };
  // The record at _dmarc.<domain>. Several records are none (RFC 9989, 4.10, step 2).
  Task<AtName> record_at(std::string domain);

  struct Walk {
    std::vector<FoundRecord> found;  // up to the one with psd=y or psd=n that ends the walk
    bool failed = false;             // a name on the way could not be asked: nothing may be concluded
  };
  // The walk that starts at `domain`; the names are asked all at once.
  Task<Walk> walk(std::string domain);

  enum class Existence : std::uint8_t { exists, nonexistent, unknown };
  // Whether the name is there at all (RFC 9989, 4.10.1: NXDOMAIN, not an empty answer).
  Task<Existence> existence(std::string domain);

 private:
  Task<void> ask(std::vector<std::string_view> domains);
  const dns::Answer* known(const dns::Question& question) const;
  AtName read(std::string_view domain) const;

  const GatherContext& context_;
  std::vector<dns::Evidence>& evidence_;
};

}  // namespace sallyport::policies
