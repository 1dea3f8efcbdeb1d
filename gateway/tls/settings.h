// The TLS settings: [tls], [[listen]] client_cert, and the tls keys of [upstreams.*].
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/fields.h"
#include "gateway/settings/section.h"

namespace sallyport {

namespace tls {

// Two PEM files: the chain, leaf first, and its private key.
struct CertificateFiles {
  std::string chain;
  std::string key;
  friend bool operator==(const CertificateFiles&, const CertificateFiles&) = default;
};

// Whether a client is asked for a certificate (threats.md T7).
enum class ClientCertificates : std::uint8_t {
  off,      // never requested
  ask,      // requested; a client without one, or with one that does not verify, is not authenticated
  require,  // the handshake fails without one that verifies
};

struct ServerTlsSettings {
  // For clients that name no host of `sni`. There may be one certificate per key type (ECDSA, RSA); each client gets
  // one it can use.
  std::vector<CertificateFiles> certificates;
  // By the name the client requests: "mx.acme.example", or "*.acme.example" for exactly one label more.
  std::map<std::string, std::vector<CertificateFiles>> sni;
  std::string min_version = "1.2";  // "1.2" | "1.3"
  ClientCertificates client_certificates = ClientCertificates::off;
  std::string client_ca_file;  // authorities that are trusted; empty: the system's
  friend bool operator==(const ServerTlsSettings&, const ServerTlsSettings&) = default;
};

// [tls]: the keys that all listeners share.
extern const settings::SectionOf<ServerTlsSettings> server_tls_section;

enum class UpstreamTls : std::uint8_t {
  off,            // never
  opportunistic,  // if offered, with any certificate
  require,        // required, with any certificate
  verify,         // required, with a certificate that chains to a trusted authority and has the right name
};

struct ClientTlsSettings {
  UpstreamTls mode = UpstreamTls::opportunistic;
  std::string name;     // name for SNI and verification; empty: the name of the server connected to
  std::string ca_file;  // trusted authorities for `verify`; empty: the system's
  friend bool operator==(const ClientTlsSettings&, const ClientTlsSettings&) = default;
};

}  // namespace tls

template <>
inline constexpr auto words_of<tls::ClientCertificates> = std::to_array<std::string_view>({"off", "ask", "require"});
template <>
inline constexpr auto words_of<tls::UpstreamTls> =
    std::to_array<std::string_view>({"off", "opportunistic", "require", "verify"});

}  // namespace sallyport
