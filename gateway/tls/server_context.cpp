#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "gateway/base/ensure.h"
#include "gateway/tls/certificate.h"
#include "gateway/tls/context.h"
#include "gateway/tls/context_parts.h"
#include "gateway/tls/engine.h"
#include "gateway/tls/error.h"
#include "gateway/tls/guarded.h"
#include "gateway/tls/verify.h"

namespace sallyport::tls {

namespace {

// Selects the certificates by the requested name. OpenSSL calls this before it looks at a ticket, so that a session
// issued under one name cannot be resumed under another (threats.md T8). The connection's app data points to the
// engine's string for the name.
int choose_by_name(SSL* ssl, const ServerContext::Parts& known) {
  const unsigned char* extension = nullptr;
  std::size_t octets = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &extension, &octets) != 1)
    return SSL_CLIENT_HELLO_SUCCESS;
  auto& host = *static_cast<std::string*>(SSL_get_app_data(ssl));
  host = requested_host({reinterpret_cast<const char*>(extension), octets});
  // An unknown name gets the default certificate (RFC 7672, 8.1; threats.md T5).
  auto place = known.names.find(host);
  if (place && !SSL_set_SSL_CTX(ssl, known.contexts[*place].get())) return SSL_CLIENT_HELLO_ERROR;
  return SSL_CLIENT_HELLO_SUCCESS;
}

int on_client_hello(SSL* ssl, int* alert, void* parts) noexcept {
  *alert = SSL_AD_INTERNAL_ERROR;  // sent only with SSL_CLIENT_HELLO_ERROR
  return guarded(SSL_CLIENT_HELLO_ERROR,
                 [=] { return choose_by_name(ssl, *static_cast<const ServerContext::Parts*>(parts)); });
}

// Acknowledges the name to the client if it selected the certificate (RFC 6066, 3).
int acknowledge_name(SSL* ssl, int*, void* parts) noexcept {
  const auto& contexts = static_cast<const ServerContext::Parts*>(parts)->contexts;
  bool chosen_by_name = SSL_get_SSL_CTX(ssl) != contexts.front().get();
  return chosen_by_name ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

// A client that offers ALPN without "smtp" was probably redirected here by an attacker who wants it to take our answers
// for those of, say, a web server (ALPACA; RFC 9325, 3.8; threats.md T6). It is refused. Mail servers send no ALPN.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_octets, const unsigned char* offered,
                    unsigned int offered_octets, void*) noexcept {
  static constexpr std::array<unsigned char, 5> smtp = {4, 's', 'm', 't', 'p'};
  unsigned char* match = nullptr;
  int found = SSL_select_next_proto(&match, chosen_octets, smtp.data(), smtp.size(), offered, offered_octets);
  if (found != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = match;
  return SSL_TLSEXT_ERR_OK;
}

int use_ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                   int seals) noexcept {
  auto* keys = static_cast<TicketKeys*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  constexpr int failed = -1;
  return guarded(failed, [=] { return seals ? keys->seal(name, iv, cipher, mac) : keys->open(name, iv, cipher, mac); });
}

// Each name's context has an id of its own, which its tickets carry; the ticket keys belong to the listener.
void set_tickets(SSL_CTX& context, TicketKeys& keys) {
  std::array<unsigned char, SSL_MAX_SID_CTX_LENGTH> identity{};
  ensure(RAND_bytes(identity.data(), static_cast<int>(identity.size())) == 1, "TLS: no random octets");
  SSL_CTX_set_session_id_context(&context, identity.data(), static_cast<unsigned>(identity.size()));
  // the ticket holds the session; the server stores nothing
  SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(&context, 1);
  SSL_CTX_set_timeout(&context, std::chrono::duration_cast<std::chrono::seconds>(TicketKeys::period).count());
  SSL_CTX_set_app_data(&context, &keys);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(&context, use_ticket_key);
}

Result<Done> ask_for_client_certificates(SSL_CTX& context, const ServerTlsSettings& settings) {
  if (settings.client_certificates == ClientCertificates::off) {
    SSL_CTX_set_verify(&context, SSL_VERIFY_NONE, nullptr);
    return Done{};
  }
  bool required = settings.client_certificates == ClientCertificates::require;
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  SSL_CTX_set_cert_verify_callback(&context, required ? verify_or_fail : verify_and_note, nullptr);
  // Public authorities no longer issue certificates marked for clients, so a server's certificate is accepted.
  SSL_CTX_set_purpose(&context, X509_PURPOSE_ANY);
  return trust(context, settings.client_ca_file);
}

Result<Done> use_certificates(SSL_CTX& context, const std::vector<CertificateFiles>& all, ServerContext::Parts& parts) {
  for (const CertificateFiles& files : all) {
    auto loaded = load_certificate(files);
    if (!loaded) return loaded.error();
    ERR_clear_error();
    constexpr int keep_others = 0;
    if (SSL_CTX_use_cert_and_key(&context, loaded->leaf.get(), loaded->key.get(), loaded->chain.get(), keep_others) !=
        1) {
      if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_NOT_REPLACING_CERTIFICATE) {
        ERR_clear_error();
        return Failure{files.chain +
                       ": a second certificate with the same type of key; one ECDSA and one RSA can stand together"};
      }
      return Failure{files.chain + ": cannot be used: " + describe_tls_error()};
    }
    parts.validities.push_back({loaded->file, loaded->valid_from, loaded->valid_until});
  }
  return Done{};
}

Result<OwnedSslContext> make_one(const std::vector<CertificateFiles>& certificates, const ServerTlsSettings& settings,
                                 ServerContext::Parts& parts) {
  constexpr int no_weak_keys = 2;
  int min_version = settings.min_version == "1.3" ? TLS1_3_VERSION : TLS1_2_VERSION;
  OwnedSslContext context = make_ssl_context(TLS_server_method(), min_version, no_weak_keys);
  if (auto used = use_certificates(*context, certificates, parts); !used) return used.error();
  if (auto asked = ask_for_client_certificates(*context, settings); !asked) return asked.error();
  set_tickets(*context, parts.ticket_keys);
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  SSL_CTX_set_client_hello_cb(context.get(), on_client_hello, &parts);
  SSL_CTX_set_tlsext_servername_callback(context.get(), acknowledge_name);
  SSL_CTX_set_tlsext_servername_arg(context.get(), &parts);
  return context;
}

}  // namespace

Time steady_time() { return std::chrono::steady_clock::now(); }

ServerContext::ServerContext(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
ServerContext::~ServerContext() = default;
std::unique_ptr<Engine> ServerContext::make_engine() const { return std::make_unique<Engine>(shared_from_this()); }

WallTime ServerContext::expires_at() const {
  WallTime first = WallTime::max();
  for (const auto& validity : parts_->validities) first = std::min(first, validity.until);
  return first;
}

std::vector<ServerContext::End> ServerContext::ends() const {
  std::vector<End> ends;
  for (const auto& validity : parts_->validities) ends.push_back({validity.file, validity.until});
  return ends;
}

std::vector<std::string> ServerContext::warnings(WallTime now) const {
  std::vector<std::string> sentences;
  for (const auto& [file, from, until] : parts_->validities) {
    if (now >= until) sentences.push_back(file + ": the certificate has expired on " + log_time(until));
    if (now < from) sentences.push_back(file + ": the certificate is not valid before " + log_time(from));
  }
  return sentences;
}

Result<std::shared_ptr<const ServerContext>> make_server_context(const ServerTlsSettings& settings, TimeSource now) {
  if (settings.certificates.empty()) return Failure{"TLS needs a certificate: tls.cert"};
  if (settings.min_version != "1.2" && settings.min_version != "1.3") {
    return Failure{"tls.min_version is \"1.2\" or \"1.3\", not \"" + settings.min_version + "\""};
  }
  auto parts = std::make_unique<ServerContext::Parts>(std::move(now));
  auto fallback = make_one(settings.certificates, settings, *parts);
  if (!fallback) return fallback.error();
  parts->contexts.push_back(std::move(*fallback));
  for (const auto& [name, certificates] : settings.sni) {
    if (certificates.empty()) return Failure{"tls.sni.\"" + name + "\" needs a certificate"};
    if (!parts->names.add(name, parts->contexts.size())) {
      return Failure{"tls.sni.\"" + name + "\": a host name, or \"*.\" and one, each only once"};
    }
    auto context = make_one(certificates, settings, *parts);
    if (!context) return context.error();
    parts->contexts.push_back(std::move(*context));
  }
  return std::shared_ptr<const ServerContext>(std::make_shared<ServerContext>(std::move(parts)));
}

}  // namespace sallyport::tls
