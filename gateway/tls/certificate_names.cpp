#include "gateway/tls/certificate_names.h"

#include <openssl/x509v3.h>

#include "gateway/tls/certificate.h"

namespace sallyport::tls {

Result<bool> is_certificate_for(const CertificateFiles& files, const std::string& host) {
  auto loaded = load_certificate(files);
  if (!loaded) return loaded.error();
  return X509_check_host(loaded->leaf.get(), host.data(), host.size(), 0, nullptr) == 1;
}

}  // namespace sallyport::tls
