// Certificate: a certificate chain with its private key, read from files and checked (threats.md T9).
#pragma once

#include <string>

#include "gateway/base/result.h"
#include "gateway/base/units.h"
#include "gateway/tls/openssl.h"
#include "gateway/tls/settings.h"

namespace sallyport::tls {

struct Certificate {
  OwnedCertificate leaf;
  OwnedCertificates chain;  // the certificates after the leaf; may be empty
  OwnedKey key;
  std::string file;
  WallTime valid_from;
  WallTime valid_until;
};

// Reads and checks both files. A failure names the file and the remedy: it cannot be read, the key is readable by
// others or writable by its group, the key is encrypted, or it does not belong to the certificate. An expired
// certificate is not a failure: mail is better served with it than without TLS.
Result<Certificate> load_certificate(const CertificateFiles& files);

}  // namespace sallyport::tls
