#include <openssl/x509v3.h>

#include "gateway/base/ensure.h"
#include "gateway/tls/context.h"
#include "gateway/tls/context_parts.h"
#include "gateway/tls/engine.h"
#include "gateway/tls/guarded.h"
#include "gateway/tls/verify.h"

namespace sallyport::tls {

namespace {

// OpenSSL calls this with each session that can be resumed. We store a copy; 0 means that we did not keep the session
// itself. Without memory for the copy the next handshake is a whole one.
int keep_session(SSL* ssl, SSL_SESSION* session) noexcept {
  constexpr int not_kept = 0;
  return guarded(not_kept, [=] {
    auto* sessions = static_cast<SessionCache*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    sessions->put(*static_cast<const std::string*>(SSL_get_app_data(ssl)), *session);
    return not_kept;
  });
}

}  // namespace

ClientContext::ClientContext(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
ClientContext::~ClientContext() = default;
std::unique_ptr<Engine> ClientContext::make_engine(std::string server) const {
  return std::make_unique<Engine>(shared_from_this(), std::move(server));
}
const ClientTlsSettings& ClientContext::settings() const { return parts_->settings; }

Result<std::shared_ptr<const ClientContext>> make_client_context(const ClientTlsSettings& settings) {
  ensure(settings.mode != UpstreamTls::off, "TLS: a client context for an upstream without TLS");
  bool verifies = settings.mode == UpstreamTls::verify;
  // Without verification any certificate is accepted, so an old server's short key is too: still better than no TLS.
  int security_level = verifies ? 2 : 1;
  auto parts = std::make_unique<ClientContext::Parts>();
  parts->settings = settings;
  parts->context = make_ssl_context(TLS_client_method(), TLS1_2_VERSION, security_level);
  SSL_CTX* context = parts->context.get();
  if (verifies) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(context, verify_or_fail, nullptr);
    if (auto trusted = trust(*context, settings.ca_file); !trusted) return trusted.error();
  } else {
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_cert_verify_callback(context, accept_any, nullptr);
  }
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_app_data(context, &parts->sessions);
  SSL_CTX_sess_set_new_cb(context, keep_session);
  return std::shared_ptr<const ClientContext>(std::make_shared<ClientContext>(std::move(parts)));
}

}  // namespace sallyport::tls
