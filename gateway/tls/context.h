// TLS contexts: what all TLS connections of a listener, or to an upstream, have in common.
//
// A context never changes once it is made, so worker threads share it; a reload makes a new one, and connections that
// run keep the old one alive. Policy (RFC 8996, RFC 9325; threats.md section 5): TLS 1.2 and 1.3, forward secrecy and
// authenticated encryption only, no compression, no renegotiation, no early data, X25519, P-256 and P-384.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/base/units.h"
#include "gateway/tls/settings.h"

namespace sallyport::tls {

class Engine;

// The server's side. One for each listener: session tickets are good only for the context that gave them, and in it
// only for the certificate they were given under (threats.md T8).
class ServerContext : public std::enable_shared_from_this<ServerContext> {
 public:
  struct Parts;  // only the sources of this folder look inside
  explicit ServerContext(std::unique_ptr<Parts> parts);
  ~ServerContext();
  ServerContext(const ServerContext&) = delete;
  ServerContext& operator=(const ServerContext&) = delete;

  // For one connection, which keeps the context alive.
  std::unique_ptr<Engine> make_engine() const;

  // When the first of the certificates ends.
  WallTime expires_at() const;
  // A sentence for each certificate that is not valid at this time; it is served all the same (threats.md T9).
  std::vector<std::string> warnings(WallTime now) const;

  const Parts& parts() const { return *parts_; }

 private:
  std::unique_ptr<Parts> parts_;
};

// The time by which ticket keys are changed; monotonic.
using TimeSource = std::function<Time()>;
Time steady_time();

// Reads and checks the files; an error names the file and the cure.
Result<std::shared_ptr<const ServerContext>> make_server_context(const ServerTlsSettings& settings,
                                                                 TimeSource now = steady_time);

// The client's side, one for each upstream. It remembers the last session of each server and resumes it.
class ClientContext : public std::enable_shared_from_this<ClientContext> {
 public:
  struct Parts;
  explicit ClientContext(std::unique_ptr<Parts> parts);
  ~ClientContext();
  ClientContext(const ClientContext&) = delete;
  ClientContext& operator=(const ClientContext&) = delete;

  // For one connection, which keeps the context alive. `server` is the host it goes to, a name or an address: sessions
  // are resumed by it, and it is asked for and verified where the settings give no other name.
  std::unique_ptr<Engine> make_engine(std::string server) const;

  const ClientTlsSettings& settings() const;
  const Parts& parts() const { return *parts_; }

 private:
  std::unique_ptr<Parts> parts_;
};

// Not for UpstreamTls::off.
Result<std::shared_ptr<const ClientContext>> make_client_context(const ClientTlsSettings& settings);

}  // namespace sallyport::tls
