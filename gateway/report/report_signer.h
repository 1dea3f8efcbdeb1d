// ReportSigner: signs reports by DKIM (RFC 6376), so that they pass DMARC themselves wherever they go (RFC 9990, 3.5).
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "gateway/base/result.h"
#include "gateway/base/units.h"
#include "gateway/crypto/private_key.h"
#include "policies/dmarc/settings.h"

namespace sallyport::report {

class ReportSigner {
 public:
  // Reads the key file; it waits for the disk. Failure: what is wrong with the file, in words for the administrator.
  static Result<ReportSigner> read(const policies::DmarcSignSettings& settings);

  // The message with a DKIM-Signature on top. `message` is a whole one, with CRLF line ends.
  std::string sign(std::string_view message, WallTime now) const;

 private:
  ReportSigner(const policies::DmarcSignSettings& settings, crypto::PrivateKey key)
      : domain_(settings.domain), selector_(settings.selector), key_(std::move(key)) {}

  std::string domain_;
  std::string selector_;
  crypto::PrivateKey key_;
};

}  // namespace sallyport::report
