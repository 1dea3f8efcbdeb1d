// One mail on its way, as policies see it: who sends it, from whom, to whom, what it says.
//
// A plain value but for the message, which the session owns. Policies read it; only the session writes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/base/units.h"
#include "gateway/mail/message.h"

namespace sallyport::policies {

struct TlsFacts {
  std::string version;  // "TLSv1.3"
  std::string cipher;
  int bits = 0;
  std::string sni;  // filtered; empty when none was sent
  bool resumed = false;
  // Of the client's certificate, where one was asked for (T7). Who shows one that does not verify is nobody in
  // particular: the subject is then no more than a claim.
  bool client_is_verified = false;
  std::string client_subject;  // in printable ASCII; empty without a certificate
};

struct Client {
  IpAddress ip;  // as the PROXY header has it, when a trusted balancer sent one
  std::uint16_t port = 0;
  std::string rdns;  // empty until something has found it out
  bool fcrdns = false;
  std::string helo;       // canonical, as given; empty before HELO
  bool extended = false;  // EHLO
  std::optional<TlsFacts> tls;
};

struct EnvelopeAddress {
  std::string local;   // unquoted
  std::string domain;  // lower case; "[...]" for a literal; empty for <> and <Postmaster>
  std::string text;    // canonical, quoted where needed, without <>

  bool is_null() const { return text.empty(); }
};

struct Tenant {
  std::string name = "default";
};

struct Route {
  std::string upstream = "default";
};

struct Transaction {
  std::string id;
  Tenant tenant;
  Route route;
  Client client;
  WallTime now{};                       // when MAIL came; policies read no clock
  std::optional<EnvelopeAddress> from;  // nothing before MAIL
  std::optional<std::uint64_t> declared_size;
  bool smtputf8 = false;
  std::optional<EnvelopeAddress> rcpt;     // the recipient being judged, at stage rcpt
  std::vector<EnvelopeAddress> rcpts;      // those accepted so far
  const mail::Message* message = nullptr;  // from stage headers on
};

}  // namespace sallyport::policies
