// RawTlsClient: a client of OpenSSL's own in front of a World's session. Between it and the gateway the test can add
// octets, leave some out, or send what it likes.
#pragma once

#include <string>
#include <string_view>

#include "tests/unit/session/world.h"
#include "tests/unit/tls/engine_pair.h"

namespace sallyport::session {

class RawTlsClient {
 public:
  // Connects to a door that speaks TLS from the first octet. It must not outlive the world.
  explicit RawTlsClient(World& world);

  // What counts for the handshake is set before the first call that speaks.
  SSL_CTX* context() { return raw_.context(); }
  SSL* ssl() { return raw_.ssl(); }

  bool shake();
  // Says it and gives all that is answered without time passing.
  std::string say(std::string_view octets);
  std::string heard();
  // Octets for the wire as they are; then heard() has the answers.
  void send_raw(std::string_view octets) { world_.client->send(octets); }
  // What OpenSSL has made of a call on ssl() goes to the gateway, and back.
  void pass_on();
  // Octets as if they came from the gateway.
  void pretend(std::string_view octets) { raw_.give(octets); }
  int alert() { return raw_.alert(); }

 private:
  World& world_;
  tls::RawClient raw_;
};

}  // namespace sallyport::session
