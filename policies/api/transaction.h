// Transaction: one mail in progress as policies see it: the client, the sender, the recipients, the message.
//
// A plain value, except for the message, which the session owns. Policies only read it; the session alone writes it.
// Its fields() (gateway/base/fields.h) contain everything except the message, and what only repeats the dialogue.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/base/endpoint.h"
#include "gateway/base/fields.h"
#include "gateway/base/mail_address.h"
#include "gateway/base/units.h"
#include "gateway/mail/message.h"

namespace sallyport::policies {

struct TlsFacts {
  std::string version;  // "TLSv1.3"
  std::string cipher;
  int bits = 0;
  std::string sni;  // filtered; empty when none was sent
  bool resumed = false;
  // About the client's certificate, where one was asked for (T7). When it does not verify, the names are only claims.
  bool client_is_verified = false;
  std::string client_subject;  // in printable ASCII; empty without a certificate
  std::string client_issuer = {};

  template <class V>
  void fields(V& visit) {
    visit("version", version);
    visit("cipher", cipher);
    visit("bits", bits);
    visit("sni", sni);
    visit("resumed", resumed);
    visit("client_is_verified", client_is_verified);
    visit("client_subject", client_subject);
    visit("client_issuer", client_issuer);
  }
};

struct Client {
  IpAddress ip;  // from the PROXY header when a trusted balancer sent one
  std::uint16_t port = 0;
  bool is_trusted = false;  // in trusted.networks
  std::string rdns;         // empty until it is known
  bool fcrdns = false;
  std::string helo;       // canonical, as given; empty before HELO
  bool extended = false;  // EHLO
  std::optional<TlsFacts> tls;

  template <class V>
  void fields(V& visit) {
    visit("ip", ip);
    visit("port", port);
    visit("trusted", is_trusted);
    visit("rdns", rdns);
    visit("fcrdns", fcrdns);
    visit("helo", helo);
    visit("extended", extended);
    visit("tls", tls);
  }
};

// Tenant and route are empty until a recipient has determined them.
struct Tenant {
  std::string name;

  template <class V>
  void fields(V& visit) {
    visit("name", name);
  }
};

struct Route {
  std::string upstream;

  template <class V>
  void fields(V& visit) {
    visit("upstream", upstream);
  }
};

struct Transaction {
  std::string id;
  Tenant tenant;
  Route route;
  Client client;
  WallTime now{};                   // time of MAIL; policies read no clock
  bool is_clock_suspect = false;    // nothing expires by `now` (threats.md R8)
  std::optional<MailAddress> from;  // nothing before MAIL
  std::optional<std::uint64_t> declared_size;
  bool smtputf8 = false;
  std::optional<MailAddress> rcpt;         // the recipient being judged, at stage rcpt
  std::vector<MailAddress> rcpts;          // those accepted so far
  const mail::Message* message = nullptr;  // from stage headers on
  // For who repeats the dialogue to others, as to milters; no part of what is recorded. The address that the client has
  // connected to, as the configuration has it; the parameters of MAIL, and of the RCPT being judged, as they came.
  Endpoint listener;
  std::string mail_parameters;
  std::string rcpt_parameters;

  // The time that signatures are judged by; nothing while the clock is suspect.
  std::optional<WallTime> trusted_now() const { return is_clock_suspect ? std::nullopt : std::optional<WallTime>(now); }

  template <class V>
  void fields(V& visit) {
    visit("id", id);
    visit("tenant", tenant);
    visit("route", route);
    visit("client", client);
    visit("now", now);
    visit("is_clock_suspect", is_clock_suspect);
    visit("from", from);
    visit("declared_size", declared_size);
    visit("smtputf8", smtputf8);
    visit("rcpt", rcpt);
    visit("rcpts", rcpts);
  }
};

}  // namespace sallyport::policies
