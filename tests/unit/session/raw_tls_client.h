// RawTlsClient: a client made directly from OpenSSL, connected to a World's session. The test can add octets between it
// and the gateway, leave some out, or send any octets.
#pragma once

#include <string>
#include <string_view>

#include "tests/unit/session/world.h"
#include "tests/unit/tls/engine_pair.h"

namespace sallyport::session {

class RawTlsClient {
 public:
  // Connects to a listener that speaks TLS from the first octet. The client must not outlive the world.
  explicit RawTlsClient(World& world);

  // Settings for the handshake are made on these before the first call that sends.
  SSL_CTX* context() { return raw_.context(); }
  SSL* ssl() { return raw_.ssl(); }

  bool shake();
  // Sends the octets and returns everything that is answered without time passing.
  std::string say(std::string_view octets);
  std::string heard();
  // Sends octets to the gateway as they are, without TLS; heard() then gives the answers.
  void send_raw(std::string_view octets) { world_.client->send(octets); }
  // Sends what OpenSSL has produced in a call on ssl() to the gateway, and passes the answers back to it.
  void pass_on();
  // Gives octets to OpenSSL as if the gateway had sent them.
  void pretend(std::string_view octets) { raw_.give(octets); }
  int alert() { return raw_.alert(); }

 private:
  World& world_;
  tls::RawClient raw_;
};

}  // namespace sallyport::session
