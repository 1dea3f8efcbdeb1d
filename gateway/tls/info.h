// Info: the result of a handshake, for the log, the Received field and the policies.
#pragma once

#include <string>
#include <string_view>

namespace sallyport::tls {

struct Info {
  std::string_view version;  // "TLSv1.3"
  std::string_view cipher;   // IANA's name: "TLS_AES_128_GCM_SHA256" (RFC 8314, 4.3)
  int bits = 0;              // length of the cipher's key
  bool resumed = false;
  // on the server side: the host name the client asked for, lower case; empty if it is not a domain name
  std::string sni;
  std::string alpn;  // "smtp" or empty
  bool peer_verified =
      false;  // the peer's certificate chains to a trusted authority; on the client side it also has the right name
  // Of its certificate, in printable ASCII; unproven unless peer_verified.
  std::string peer_subject;
  std::string peer_issuer;
};

}  // namespace sallyport::tls
