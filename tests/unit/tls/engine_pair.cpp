#include "tests/unit/tls/engine_pair.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <array>

namespace sallyport::tls {

namespace {

// Of the first one (RFC 8446, 5.1), with its header.
std::size_t size_of_record(std::string_view ciphertext) {
  if (ciphertext.size() < 5) return ciphertext.size();
  return 5 + static_cast<unsigned char>(ciphertext[3]) * std::size_t{256} + static_cast<unsigned char>(ciphertext[4]);
}

// Gives `ciphertext` to a handshake in pieces; leaves what it did not take.
Engine::Status give_to_handshake(Engine& engine, std::string& ciphertext, std::size_t piece) {
  auto status = Engine::Status::want_input;
  std::string waiting;
  while (!ciphertext.empty() && status == Engine::Status::want_input) {
    const std::size_t octets = piece == record_by_record ? size_of_record(ciphertext) : piece;
    waiting += ciphertext.substr(0, octets);
    ciphertext.erase(0, std::min(octets, ciphertext.size()));
    std::string_view rest = waiting;
    status = engine.handshake(rest);
    waiting.erase(0, waiting.size() - rest.size());
  }
  ciphertext.insert(0, waiting);
  return status;
}

}  // namespace

std::shared_ptr<const ServerContext> server_context(const ServerTlsSettings& settings, TimeSource now) {
  auto context = make_server_context(settings, std::move(now));
  if (context) return *context;
  ADD_FAILURE() << context.error().message;
  return nullptr;
}

std::shared_ptr<const ServerContext> server_context() {
  ServerTlsSettings settings;
  settings.certificates = {common_certificates().ecdsa, common_certificates().rsa};
  return server_context(settings);
}

std::shared_ptr<const ClientContext> client_context(const ClientTlsSettings& settings) {
  auto context = make_client_context(settings);
  if (context) return *context;
  ADD_FAILURE() << context.error().message;
  return nullptr;
}

Received receive(Engine& engine, std::string_view ciphertext, std::size_t piece) {
  Received received{Engine::Status::want_input, {}};
  std::array<char, 1000> buffer{};
  do {
    std::string_view part = ciphertext.substr(0, piece);
    ciphertext.remove_prefix(part.size());
    Engine::Read read{};
    do {
      read = engine.read(part, buffer);
      received.plain.append(buffer.data(), read.octets);
    } while (read.status == Engine::Status::done);
    received.status = read.status;
  } while (!ciphertext.empty() && received.status == Engine::Status::want_input);
  return received;
}

bool EnginePair::shake(std::size_t piece) {
  std::string to_client;
  std::string to_server;
  std::string_view nothing;
  client->handshake(nothing);
  for (int flight = 0; flight < 10; ++flight) {
    to_server += client->take_output();
    if (!server->is_established() && !server->has_failed()) give_to_handshake(*server, to_server, piece);
    to_client += server->take_output();
    if (!client->is_established() && !client->has_failed()) give_to_handshake(*client, to_client, piece);
  }
  if (!client->is_established() || !server->is_established()) return false;
  EXPECT_EQ(receive(*client, to_client, piece).plain, "");
  EXPECT_EQ(to_server, "");
  return !client->has_failed();
}

RawClient::RawClient() : context_(made(SSL_CTX_new(TLS_client_method()))) {
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_security_level(context_.get(), 0);
}

SSL* RawClient::ssl() {
  if (ssl_) return ssl_.get();
  ssl_.reset(made(SSL_new(context_.get())));
  incoming_ = made(BIO_new(BIO_s_mem()));
  outgoing_ = made(BIO_new(BIO_s_mem()));
  BIO_set_mem_eof_return(incoming_, -1);
  SSL_set_bio(ssl_.get(), incoming_, outgoing_);
  SSL_set_connect_state(ssl_.get());
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_info_callback(ssl_.get(), note_alert);
  return ssl_.get();
}

void RawClient::note_alert(const SSL* ssl, int where, int value) {
  if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT) {
    static_cast<RawClient*>(SSL_get_app_data(ssl))->alert_ = value & 0xff;
  }
}

// In TLS 1.3 a client is done before the server has looked at its certificate: what it thinks of it comes later.
int RawClient::alert() {
  char octet = 0;
  SSL_peek(ssl(), &octet, 1);
  ERR_clear_error();
  return alert_;
}

bool RawClient::shake(Engine& server, std::size_t piece) {
  bool done = false;
  std::string to_server;
  for (int flight = 0; flight < 10; ++flight) {
    done = SSL_do_handshake(ssl()) == 1;
    to_server += take();
    if (!server.is_established() && !server.has_failed()) give_to_handshake(server, to_server, piece);
    give(server.take_output());
  }
  ERR_clear_error();
  return done && server.is_established();
}

Received RawClient::exchange(Engine& server) {
  Received received = receive(server, take());
  give(server.take_output());
  return received;
}

void RawClient::give(std::string_view ciphertext) {
  if (!ciphertext.empty()) BIO_write(incoming_, ciphertext.data(), static_cast<int>(ciphertext.size()));
}

std::string RawClient::take() {
  std::string ciphertext(BIO_ctrl_pending(outgoing_), '\0');
  if (!ciphertext.empty()) BIO_read(outgoing_, ciphertext.data(), static_cast<int>(ciphertext.size()));
  return ciphertext;
}

}  // namespace sallyport::tls
