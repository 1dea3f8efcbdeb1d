// A certificate with its key, read from files and checked (threats.md T9).
#pragma once

#include <string>

#include "gateway/base/result.h"
#include "gateway/base/units.h"
#include "gateway/tls/openssl.h"
#include "gateway/tls/settings.h"

namespace sallyport::tls {

struct Certificate {
  OwnedCertificate leaf;
  OwnedCertificates chain;  // what stands behind the leaf; may be empty
  OwnedKey key;
  std::string file;
  WallTime valid_from;
  WallTime valid_until;
};

// Errors name the file and what to do: one cannot be read, the key is open to others or writable by its group, it is
// encrypted, it does not belong to the certificate. An expired certificate is none: mail is better served with it than
// not.
Result<Certificate> load_certificate(const CertificateFiles& files);

}  // namespace sallyport::tls
