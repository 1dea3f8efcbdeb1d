// The client of a dialogue: speaks to the gateway of a World in the clear or over TLS, in pieces as the test likes.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tests/unit/session/world.h"

namespace sallyport::session {

class DialogueClient {
 public:
  virtual ~DialogueClient() = default;
  // Says it and gives all that is answered without time passing.
  virtual std::string say(std::string_view octets) = 0;
  // What was said to it since it was asked last.
  virtual std::string heard() = 0;
  // Closes its side; over TLS with close_notify.
  virtual void leave() = 0;
};

// Both connect at once and must not outlive the world.
std::unique_ptr<DialogueClient> connect_in_the_clear(World& world);
// Makes the world's door one that speaks TLS from the first octet, and shakes hands. `in_crumbs`: the encrypted octets
// arrive one at a time.
std::unique_ptr<DialogueClient> connect_over_tls(World& world, bool in_crumbs);

// Begins in the clear, at a door that offers STARTTLS.
class StarttlsClient : public DialogueClient {
 public:
  // Shakes hands now, after the go-ahead to STARTTLS; false when that came to nothing.
  virtual bool start_tls() = 0;
};
std::unique_ptr<StarttlsClient> connect_before_tls(World& world);

// The door's side of TLS, with a certificate made once for all tests.
std::shared_ptr<const tls::ServerContext> common_server_context();

}  // namespace sallyport::session
