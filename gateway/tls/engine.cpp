#include "gateway/tls/engine.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <new>

#include "gateway/base/domain_name.h"
#include "gateway/base/ensure.h"
#include "gateway/base/text.h"
#include "gateway/tls/context_parts.h"
#include "gateway/tls/openssl.h"

namespace sallyport::tls {

namespace {

constexpr std::uint64_t max_handshake_octets = std::uint64_t{64} * 1024;
constexpr unsigned max_renegotiations = 3;
// A peer asks for a key update with few octets and it costs us two key derivations. Honest peers ask once in millions
// of records.
constexpr std::uint64_t free_key_updates = 32;
constexpr std::uint64_t octets_per_key_update = 1u << 20;
// Upper bound of what our ciphers add to a record: header, explicit nonce, content type, tag.
constexpr std::size_t record_overhead = 32;

bool is_refusal(int reason) {
  switch (reason) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_UNSUPPORTED_SSL_VERSION:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SHARED_GROUPS:
    case SSL_R_NO_SUITABLE_GROUPS:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return true;
    default:
      return false;
  }
}

std::string text_of(const X509_NAME* name) {
  OwnedBio text(made(BIO_new(BIO_s_mem())));
  X509_NAME_print_ex(text.get(), name, 0, XN_FLAG_RFC2253);
  char* octets = nullptr;
  long count = BIO_get_mem_data(text.get(), &octets);
  return text::printable({octets, static_cast<std::size_t>(std::max(count, 0L))}, 255);
}

// The contexts' callbacks find the connection's text through the app data and rely on it being set.
void tell_callbacks(SSL* ssl, std::string& text) {
  if (SSL_set_app_data(ssl, &text) != 1) throw std::bad_alloc();
}

}  // namespace

void Engine::FreeSsl::operator()(ssl_st* ssl) const noexcept { SSL_free(ssl); }

Engine::Engine(const std::shared_ptr<const ServerContext>& context)
    : context_(context), ssl_(made(SSL_new(context->parts().contexts.front().get()))) {
  connect_to_ssl();
  tell_callbacks(ssl_.get(), info_.sni);
  SSL_set_accept_state(ssl_.get());
}

Engine::Engine(const std::shared_ptr<const ClientContext>& context, std::string server)
    : context_(context), server_(std::move(server)), ssl_(made(SSL_new(context->parts().context.get()))) {
  connect_to_ssl();
  tell_callbacks(ssl_.get(), server_);
  SSL_set_connect_state(ssl_.get());
  set_server(*context);
}

Engine::~Engine() = default;

void Engine::connect_to_ssl() {
  BIO* bio = make_bio(wire_);
  SSL_set_bio(ssl_.get(), bio, bio);  // takes ownership
  SSL_set_msg_callback(ssl_.get(), note_message);
  SSL_set_msg_callback_arg(ssl_.get(), this);
}

void Engine::set_server(const ClientContext& context) {
  SSL* ssl = ssl_.get();
  const std::string& asked = context.settings().name;
  const std::string& name = asked.empty() ? server_ : asked;
  bool verifies = context.settings().mode == UpstreamTls::verify;
  // An address is never sent as SNI (RFC 6066, 3), but a certificate may contain it.
  X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(wanted, name.c_str()) != 1) {
    ERR_clear_error();
    if (is_domain_name(name)) {
      info_.sni = text::to_lower(name);
      ensure(SSL_set_tlsext_host_name(ssl, info_.sni.c_str()) == 1, "TLS: cannot ask for the server's name");
    }
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    bool set = !name.empty() && X509_VERIFY_PARAM_set1_host(wanted, name.data(), name.size()) == 1;
    // Without a name to compare, a certificate of any server would verify.
    ensure(set || !verifies, "TLS: no name to verify");
  }
  if (auto session = context.parts().sessions.get(server_)) SSL_set_session(ssl, session.get());
}

// OpenSSL calls this for every message. After the handshake two types cause work that OpenSSL does not limit: a
// ClientHello, which in TLS 1.2 asks for a renegotiation (the library refuses each with a warning), and a KeyUpdate.
void Engine::note_message(int is_sent, int, int type, const void* octets, std::size_t count, ssl_st*, void* engine) {
  if (is_sent || type != SSL3_RT_HANDSHAKE || count == 0) return;
  auto& self = *static_cast<Engine*>(engine);
  if (!self.established_) return;
  int message = *static_cast<const unsigned char*>(octets);
  if (message == SSL3_MT_CLIENT_HELLO) ++self.renegotiations_;
  if (message == SSL3_MT_KEY_UPDATE) ++self.key_updates_;
}

Engine::Status Engine::handshake(std::string_view& ciphertext) {
  if (failed_) return Status::failed;
  if (established_) return Status::done;
  std::string_view allowed = ciphertext.substr(0, max_handshake_octets - wire_.taken);
  wire_.input = allowed;
  ERR_clear_error();
  Status status = outcome(SSL_do_handshake(ssl_.get()));
  ciphertext.remove_prefix(allowed.size() - wire_.input.size());
  wire_.input = {};
  if (status == Status::ended) return fail("the peer has ended TLS in the handshake");
  if (status == Status::done) {
    try {
      note_established();
    } catch (const std::bad_alloc&) {
      return fail("out of memory");
    }
  }
  if (status == Status::want_input && wire_.taken >= max_handshake_octets) return fail("handshake too large");
  return status;
}

void Engine::note_established() {
  established_ = true;
  const SSL* ssl = ssl_.get();
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl);
  info_.version = SSL_get_version(ssl);
  info_.cipher = SSL_CIPHER_standard_name(cipher);
  info_.bits = SSL_CIPHER_get_bits(cipher, nullptr);
  info_.resumed = SSL_session_reused(ssl) == 1;
  const unsigned char* protocol = nullptr;
  unsigned octets = 0;
  SSL_get0_alpn_selected(ssl, &protocol, &octets);
  if (octets > 0) info_.alpn.assign(reinterpret_cast<const char*>(protocol), octets);
  if (X509* peer = SSL_get0_peer_certificate(ssl)) {
    info_.peer_verified = SSL_get_verify_result(ssl) == X509_V_OK;
    info_.peer_subject = text_of(X509_get_subject_name(peer));
    info_.peer_issuer = text_of(X509_get_issuer_name(peer));
  }
}

Engine::Read Engine::read(std::string_view& ciphertext, std::span<char> into) {
  ensure(established_, "TLS: read before the handshake");
  if (failed_) return {Status::failed, 0};
  if (ended_) return {Status::ended, 0};
  wire_.input = ciphertext;
  ERR_clear_error();
  std::size_t octets = 0;
  Status status = outcome(SSL_read_ex(ssl_.get(), into.data(), into.size(), &octets));
  ciphertext = wire_.input;
  wire_.input = {};
  return {status, status == Status::done ? octets : 0};
}

bool Engine::has_decrypted() const { return !failed_ && SSL_pending(ssl_.get()) > 0; }

bool Engine::has_part_of_record() const {
  return !failed_ && SSL_has_pending(ssl_.get()) == 1 && SSL_pending(ssl_.get()) == 0;
}

Engine::Status Engine::write(std::string_view plain) {
  ensure(established_, "TLS: write before the handshake");
  ensure(!said_close_, "TLS: write after close_notify");
  if (failed_) return Status::failed;
  if (plain.empty()) return Status::done;
  std::size_t records = plain.size() / SSL3_RT_MAX_PLAIN_LENGTH + 1;
  wire_.output.reserve(wire_.output.size() + plain.size() + records * record_overhead);
  ERR_clear_error();
  std::size_t written = 0;
  return outcome(SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &written));
}

void Engine::shutdown() {
  if (!established_ || failed_ || said_close_) return;
  said_close_ = true;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

std::string Engine::take_output() { return std::exchange(wire_.output, {}); }

bool Engine::output_may_wait() const {
  // In TLS 1.2 the ticket is sent before the server's Finished, which the client waits for.
  return established_ && SSL_is_server(ssl_.get()) && SSL_version(ssl_.get()) >= TLS1_3_VERSION;
}

Engine::Status Engine::outcome(int result) {
  if (renegotiations_ >= max_renegotiations) return fail("too many renegotiations");
  if (key_updates_ > free_key_updates + wire_.taken / octets_per_key_update) return fail("too many key updates");
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_NONE:
      return Status::done;
    case SSL_ERROR_WANT_READ:
      return Status::want_input;
    case SSL_ERROR_ZERO_RETURN:
      ended_ = true;
      return Status::ended;
    default:
      break;
  }
  unsigned long error = ERR_peek_error();
  int reason = ERR_GET_REASON(error);
  refused_ = ERR_GET_LIB(error) == ERR_LIB_SSL && is_refusal(reason);
  const char* words = ERR_reason_error_string(error);
  // The verification result names the rule that was broken.
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
    words = X509_verify_cert_error_string(SSL_get_verify_result(ssl_.get()));
  ERR_clear_error();
  return fail(words ? words : "unknown error");
}

Engine::Status Engine::fail(std::string_view why) {
  failed_ = true;
  failure_ = why;
  return Status::failed;
}

}  // namespace sallyport::tls
