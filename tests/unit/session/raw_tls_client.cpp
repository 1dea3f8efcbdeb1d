#include "tests/unit/session/raw_tls_client.h"

#include <openssl/err.h>

#include <array>

#include "tests/unit/session/dialogue_client.h"

namespace sallyport::session {

RawTlsClient::RawTlsClient(World& world) : world_(world) {
  if (!world_.listener.tls) world_.listener.tls = common_server_context();
  world_.listener.settings.tls = config::ListenTls::implicit;
  world_.connect();
}

bool RawTlsClient::shake() {
  bool done = false;
  for (int flight = 0; flight < 5; ++flight) {
    done = SSL_do_handshake(ssl()) == 1;
    pass_on();
  }
  ERR_clear_error();
  return done;
}

void RawTlsClient::pass_on() {
  if (std::string octets = raw_.take(); !octets.empty()) world_.client->send(octets);
  raw_.give(world_.heard());
}

std::string RawTlsClient::say(std::string_view octets) {
  SSL_write(ssl(), octets.data(), static_cast<int>(octets.size()));
  return heard();
}

std::string RawTlsClient::heard() {
  pass_on();
  std::string text;
  std::array<char, 1000> piece{};
  while (true) {
    int octets = SSL_read(ssl(), piece.data(), static_cast<int>(piece.size()));
    if (octets <= 0) break;
    text.append(piece.data(), static_cast<std::size_t>(octets));
  }
  ERR_clear_error();
  return text;
}

}  // namespace sallyport::session
