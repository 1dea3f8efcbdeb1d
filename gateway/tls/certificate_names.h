// Whose certificate it is, for `check`.
#pragma once

#include <string>

#include "gateway/base/result.h"
#include "gateway/tls/settings.h"

namespace sallyport::tls {

// True if the certificate of the files was made for this host name. The failure is that of make_server_context().
Result<bool> is_certificate_for(const CertificateFiles& files, const std::string& host);

}  // namespace sallyport::tls
