// The client of a dialogue test: talks to the gateway of a World in the clear or over TLS.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tests/unit/session/world.h"

namespace sallyport::session {

class DialogueClient {
 public:
  virtual ~DialogueClient() = default;
  // Sends the octets and returns everything that is answered without time passing.
  virtual std::string say(std::string_view octets) = 0;
  // Everything received since the last call of say() or heard().
  virtual std::string heard() = 0;
  // Closes the client's side; over TLS with close_notify.
  virtual void leave() = 0;
};

// Both connect at once. The client must not outlive the world.
std::unique_ptr<DialogueClient> connect_in_the_clear(World& world);
// Makes the world's listener speak TLS from the first octet, and performs the handshake. `in_crumbs`: the encrypted
// octets arrive one at a time.
std::unique_ptr<DialogueClient> connect_over_tls(World& world, bool in_crumbs);

// A client that begins in the clear, at a listener that offers STARTTLS.
class StarttlsClient : public DialogueClient {
 public:
  // Performs the handshake, after STARTTLS was answered 220; false when it fails.
  virtual bool start_tls() = 0;
};
std::unique_ptr<StarttlsClient> connect_before_tls(World& world);

// The TLS context of the listener, with a certificate generated once for all tests.
std::shared_ptr<const tls::ServerContext> common_server_context();

}  // namespace sallyport::session
