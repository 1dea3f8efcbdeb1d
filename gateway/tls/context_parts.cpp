#include "gateway/tls/context_parts.h"

#include <openssl/err.h>

#include "gateway/base/ensure.h"
#include "gateway/tls/error.h"

namespace sallyport::tls {

namespace {

// Only ephemeral keys and authenticated encryption, the faster AES first. See below for who chooses.
constexpr const char* tls12_ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* tls13_ciphers = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* groups = "X25519:P-256:P-384";

}  // namespace

OwnedSslContext make_ssl_context(const SSL_METHOD* method, int min_version, int security_level) {
  OwnedSslContext context(made(SSL_CTX_new(method)));
  SSL_CTX* ssl = context.get();
  SSL_CTX_set_security_level(ssl, security_level);
  // Overrides the system's openssl.cnf, so that our policy does not depend on the host.
  bool accepted = SSL_CTX_set_min_proto_version(ssl, min_version) == 1 && SSL_CTX_set_max_proto_version(ssl, 0) == 1 &&
                  SSL_CTX_set_cipher_list(ssl, tls12_ciphers) == 1 &&
                  SSL_CTX_set_ciphersuites(ssl, tls13_ciphers) == 1 && SSL_CTX_set1_groups_list(ssl, groups) == 1;
  ensure(accepted, "TLS: the library refuses our protocol settings");
  SSL_CTX_clear_options(ssl, SSL_OP_ENABLE_KTLS);
  // We choose the cipher: all are equally secure, but SHA-256 has CPU instructions and SHA-384 has none, which is a
  // tenth of a handshake. A client without AES instructions puts ChaCha first, and then gets it.
  SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_max_early_data(ssl, 0);
  SSL_CTX_set_recv_max_early_data(ssl, 0);
  SSL_CTX_set_max_cert_list(ssl, max_chain_octets);
  SSL_CTX_set_verify_depth(ssl, max_chain_certificates);
  // An idle connection frees its record buffers. Certificates missing in a chain are not searched in the trust store,
  // which would happen anew in every handshake.
  SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  return context;
}

Result<Done> trust(SSL_CTX& context, const std::string& ca_file) {
  ERR_clear_error();
  if (ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(&context);
    ERR_clear_error();  // on a host without such files no certificate verifies; the first handshake shows it
    return Done{};
  }
  if (SSL_CTX_load_verify_file(&context, ca_file.c_str()) != 1) {
    return Failure{ca_file + ": no certificates of authorities can be read from it: " + describe_tls_error()};
  }
  return Done{};
}

}  // namespace sallyport::tls
