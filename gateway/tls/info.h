// What a handshake has settled, for the log, the Received field and the policies.
#pragma once

#include <string>
#include <string_view>

namespace sallyport::tls {

struct Info {
  std::string_view version;  // "TLSv1.3"
  std::string_view cipher;   // IANA's name: "TLS_AES_128_GCM_SHA256" (RFC 8314, 4.3)
  int bits = 0;              // of the cipher's key
  bool resumed = false;
  std::string sni;   // server: the host the client named, lower case, when it is a domain name; never for a label
  std::string alpn;  // "smtp" or empty
  bool peer_verified =
      false;  // the peer has a certificate that chains to an authority; as a client, one with the right name
  std::string peer_subject;  // of its certificate, in printable ASCII; what an unverified peer claims is only a claim
};

}  // namespace sallyport::tls
