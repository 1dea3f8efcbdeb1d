// TLS contexts: the settings shared by all TLS connections of a listener, or to an upstream.
//
// A context never changes after it is made, so worker threads share it. A reload makes a new one; running connections
// keep the old one alive. Policy (RFC 8996, RFC 9325; threats.md section 5): TLS 1.2 and 1.3, only forward secrecy and
// authenticated encryption, no compression, no renegotiation, no early data, groups X25519, P-256 and P-384.
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

// The server side; one per listener. A session ticket is valid only for the context that issued it, and only for the
// certificate it was issued under (threats.md T8).
class ServerContext : public std::enable_shared_from_this<ServerContext> {
 public:
  struct Parts;  // defined in context_parts.h, for this folder only
  explicit ServerContext(std::unique_ptr<Parts> parts);
  ~ServerContext();
  ServerContext(const ServerContext&) = delete;
  ServerContext& operator=(const ServerContext&) = delete;

  // An engine for one connection; it keeps the context alive.
  std::unique_ptr<Engine> make_engine() const;

  // When the first of the certificates expires.
  WallTime expires_at() const;
  // When each of them does.
  struct End {
    std::string file;
    WallTime at;
  };
  std::vector<End> ends() const;
  // A sentence for each certificate that is not valid at this time. It is used all the same (threats.md T9).
  std::vector<std::string> warnings(WallTime now) const;

  const Parts& parts() const { return *parts_; }

 private:
  std::unique_ptr<Parts> parts_;
};

// Monotonic time; ticket keys are changed by it.
using TimeSource = std::function<Time()>;
Time steady_time();

// Reads and checks the files; a failure names the file and the remedy.
Result<std::shared_ptr<const ServerContext>> make_server_context(const ServerTlsSettings& settings,
                                                                 TimeSource now = steady_time);

// The client side; one per upstream. It remembers the last session of each server and resumes it.
class ClientContext : public std::enable_shared_from_this<ClientContext> {
 public:
  struct Parts;
  explicit ClientContext(std::unique_ptr<Parts> parts);
  ~ClientContext();
  ClientContext(const ClientContext&) = delete;
  ClientContext& operator=(const ClientContext&) = delete;

  // An engine for one connection; it keeps the context alive. `server` is the host connected to, a name or an address.
  // Sessions are resumed by it; unless the settings give another name, it is also the SNI and the name to verify.
  std::unique_ptr<Engine> make_engine(std::string server) const;

  const ClientTlsSettings& settings() const;
  const Parts& parts() const { return *parts_; }

 private:
  std::unique_ptr<Parts> parts_;
};

// Must not be called for UpstreamTls::off.
Result<std::shared_ptr<const ClientContext>> make_client_context(const ClientTlsSettings& settings);

}  // namespace sallyport::tls
