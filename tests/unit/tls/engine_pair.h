// Two engines against each other, and an engine against a client that is OpenSSL itself, which can be made to
// misbehave.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/tls/engine.h"
#include "gateway/tls/openssl.h"
#include "tests/unit/tls/test_certificates.h"

namespace sallyport::tls {

inline constexpr std::size_t whole = std::string_view::npos;
inline constexpr std::size_t record_by_record = 0;

std::shared_ptr<const ServerContext> server_context(const ServerTlsSettings& settings, TimeSource now = steady_time);
std::shared_ptr<const ServerContext> server_context();  // with the common ECDSA and RSA certificates
std::shared_ptr<const ClientContext> client_context(const ClientTlsSettings& settings = {});

// Gives the engine ciphertext in pieces and takes what it decrypts; stops at the first status that is not want_input.
struct Received {
  Engine::Status status;
  std::string plain;
};
Received receive(Engine& engine, std::string_view ciphertext, std::size_t piece = whole);

struct EnginePair {
  EnginePair(const std::shared_ptr<const ClientContext>& for_client,
             const std::shared_ptr<const ServerContext>& for_server, const std::string& host = "mx.example.test")
      : client(for_client->make_engine(host)), server(for_server->make_engine()) {}

  // Until both are established, or one has failed and the other has heard of it. True in the first case. What the
  // server says last (tickets) has been read by then.
  bool shake(std::size_t piece = whole);

  std::unique_ptr<Engine> client;
  std::unique_ptr<Engine> server;
};

// A client of OpenSSL's own, for what our client never does. It stays where it was made.
class RawClient {
 public:
  RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  SSL_CTX* context() { return context_.get(); }
  SSL* ssl();  // made at the first call; what the context says counts until then

  bool shake(Engine& server, std::size_t piece = std::string::npos);
  // Both ways: our octets to the engine, and its output to us. Gives what the engine decrypted.
  Received exchange(Engine& server);
  void give(std::string_view ciphertext);
  std::string take();
  // The last alert the server has sent, of all that was given: its description (RFC 8446, 6), or -1 for none.
  int alert();

 private:
  static void note_alert(const SSL* ssl, int where, int value);

  OwnedSslContext context_;
  OwnedSsl ssl_;
  BIO* incoming_ = nullptr;
  BIO* outgoing_ = nullptr;
  int alert_ = -1;
};

}  // namespace sallyport::tls
