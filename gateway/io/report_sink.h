// Where what a mail adds to the DMARC aggregate reports (RFC 9990) goes: a store that outlives the session, or nowhere.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/base/units.h"

namespace sallyport::io {

// One mail as its report will tell of it (RFC 9990, 3.1.1.5 on): domains only, no local part of anybody. Words are
// those of the report's XML. Two mails with equal ones are one row, with a count.
struct DmarcObservation {
  struct Reason {
    std::string type;     // local_policy, policy_test_mode, ...
    std::string comment;  // or empty
    friend auto operator<=>(const Reason&, const Reason&) = default;
  };
  struct Signature {
    std::string domain;
    std::string selector;
    std::string result;
    friend auto operator<=>(const Signature&, const Signature&) = default;
  };
  struct Spf {
    std::string domain;
    std::string result;
    friend auto operator<=>(const Spf&, const Spf&) = default;
  };

  // Whose report it goes into: the domain of the record, the record as it was, and how it was found ("treewalk",
  // "psl").
  std::string policy_domain;
  std::string record;
  std::string discovery;

  IpAddress source_ip;
  std::string header_from;
  std::string envelope_from;  // empty for the null sender
  std::string disposition;    // none, pass, quarantine, reject
  bool dkim = false;          // an aligned pass
  bool spf = false;
  std::vector<Reason> reasons;
  std::vector<Signature> signatures;
  std::optional<Spf> spf_check;

  friend auto operator<=>(const DmarcObservation&, const DmarcObservation&) = default;
};

// A row of a report: equal mails, counted.
struct DmarcReportRow {
  DmarcObservation mail;
  std::uint64_t count = 1;
  friend bool operator==(const DmarcReportRow&, const DmarcReportRow&) = default;
};

class ReportSink {
 public:
  virtual ~ReportSink() = default;
  // Never waits and never fails: what cannot be kept is lost and counted (threats.md R6). Any thread.
  virtual void observed(DmarcObservation mail, WallTime at) noexcept = 0;
};

}  // namespace sallyport::io
