// ReportSink: takes what one mail contributes to the DMARC aggregate reports (RFC 9990); a store that outlives the
// session, or an implementation that drops it.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/base/units.h"

namespace sallyport::io {

// One mail as a report describes it (RFC 9990, 3.1.1.5 on): domains only, never a local part. Strings hold the words of
// the report's XML. Equal observations become one row with a count.
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

  // The report it belongs to: the domain of the DMARC record, the record's text, and how it was found ("treewalk" or
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
  // Called by a session at the end of each mail, from any thread. Never waits and never fails: what cannot be kept is
  // dropped and counted (threats.md R6).
  virtual void observed(DmarcObservation mail, WallTime at) noexcept = 0;
};

}  // namespace sallyport::io
