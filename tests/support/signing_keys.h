// Keys for signing in tests. RSA keys are generated when first needed and never stored.
#pragma once

#include <string>
#include <string_view>

#include "gateway/crypto/private_key.h"

namespace sallyport::support {

// An RSA key of `bits` bits, generated once for each process because that is slow.
const crypto::PrivateKey& rsa_key(unsigned bits = 2048);
std::string rsa_key_pem(unsigned bits);
// The Ed25519 key of RFC 8463, appendix A.2.
const crypto::PrivateKey& ed25519_key();
std::string ed25519_key_pem();
// The DNS record of the public key: "v=DKIM1; k=rsa; p=...".
std::string key_record(const crypto::PrivateKey& key);

}  // namespace sallyport::support
