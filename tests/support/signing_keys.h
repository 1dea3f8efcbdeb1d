// Keys to sign with in tests. RSA keys are made when first asked for; none is kept anywhere.
#pragma once

#include <string>
#include <string_view>

#include "gateway/crypto/private_key.h"

namespace sallyport::support {

// An RSA key of so many bits: one per process, as making it takes a while.
const crypto::PrivateKey& rsa_key(unsigned bits = 2048);
std::string rsa_key_pem(unsigned bits);
// The Ed25519 key of RFC 8463, appendix A.2.
const crypto::PrivateKey& ed25519_key();
std::string ed25519_key_pem();
// What the DNS has of a key: "v=DKIM1; k=rsa; p=...".
std::string key_record(const crypto::PrivateKey& key);

}  // namespace sallyport::support
