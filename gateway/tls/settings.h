// What the configuration says about TLS: [tls], [[listen]] client_cert, and the tls keys of [upstreams.*].
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sallyport::tls {

// Two PEM files: the chain, leaf first, and its private key.
struct CertificateFiles {
  std::string chain;
  std::string key;
  friend bool operator==(const CertificateFiles&, const CertificateFiles&) = default;
};

// Whether a client is asked for a certificate (threats.md T7).
enum class ClientCertificates : std::uint8_t {
  off,      // never asked for
  ask,      // asked for; without one, or with one that does not verify, the client is simply not authenticated
  require,  // no handshake without one that verifies
};

struct ServerTlsSettings {
  // For everybody who does not name a host of `sni`. Several stand side by side, one for each type of key (ECDSA, RSA):
  // each client gets one it can use.
  std::vector<CertificateFiles> certificates;
  // By the name the client asks for: "mx.acme.example", or "*.acme.example" for exactly one label more.
  std::map<std::string, std::vector<CertificateFiles>> sni;
  std::string min_version = "1.2";  // "1.2" | "1.3"
  ClientCertificates client_certificates = ClientCertificates::off;
  std::string client_ca_file;  // whose certificates verify; empty: the system's
  friend bool operator==(const ServerTlsSettings&, const ServerTlsSettings&) = default;
};

enum class UpstreamTls : std::uint8_t {
  off,            // never
  opportunistic,  // when offered, with any certificate
  require,        // not without it, with any certificate
  verify,         // not without a certificate that chains to a known authority and bears the name
};

struct ClientTlsSettings {
  UpstreamTls mode = UpstreamTls::opportunistic;
  std::string name;     // the name to ask for and to verify; empty: that of the server we connect to
  std::string ca_file;  // for `verify`; empty: the system's
  friend bool operator==(const ClientTlsSettings&, const ClientTlsSettings&) = default;
};

}  // namespace sallyport::tls
