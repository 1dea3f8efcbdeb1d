// Settings of the gateway itself: listeners, limits, timeouts, upstreams, tenants.
//
// The default values are those of contract.md, section 3. gateway/config/load fills the structs. Their rows are in
// gateway_sections.cpp; the rows of the policies are in each policy's folder.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/base/endpoint.h"
#include "gateway/base/fields.h"
#include "gateway/base/log.h"
#include "gateway/base/units.h"
#include "gateway/resolver/settings.h"
#include "gateway/settings/section.h"
#include "gateway/tls/settings.h"
#include "policies/sections.h"

namespace sallyport {

namespace config {

enum class ListenProtocol : std::uint8_t { smtp, milter };
enum class ListenTls : std::uint8_t { off, starttls, implicit };
enum class BareNewlinePolicy : std::uint8_t { normalize, reject };

// The permission bits of a file, "0660".
struct FileMode {
  std::uint32_t bits = 0;
  friend bool operator==(const FileMode&, const FileMode&) = default;
};

struct ListenSettings {
  // With protocol = "milter" also the path of a unix-domain socket; never a name.
  Endpoint address{SocketAddress{IpAddress::v6({}), 25}};
  ListenProtocol protocol = ListenProtocol::smtp;
  // Of the file of a unix-domain socket: who may connect.
  FileMode socket_mode{0660};
  std::string socket_group;  // empty: that of the process
  // With protocol = "milter": the MTAs that may ask.
  std::vector<IpNetwork> milter_from = {*IpNetwork::parse("127.0.0.0/8"), *IpNetwork::parse("::1/128")};
  ListenTls tls = ListenTls::starttls;
  bool require_tls = false;
  BareNewlinePolicy bare_newline = BareNewlinePolicy::normalize;
  std::vector<IpNetwork> proxy_protocol_from;
  std::vector<IpNetwork> xclient_from;
  tls::ClientCertificates client_cert = tls::ClientCertificates::off;
  std::string client_ca;  // file of CA certificates for client certificates; empty: the system's
};

struct LimitSettings {
  std::uint64_t message_size = 50u << 20;
  std::uint64_t recipients = 1000;
  std::uint64_t sessions = 20000;
  std::uint64_t sessions_per_ip = 50;
  std::uint64_t errors_per_session = 20;
  std::uint64_t memory_per_message = 256u << 10;
  std::uint64_t memory_under_pressure = 64u << 10;  // of a message
  std::uint64_t memory = 0;                         // of the process; 0: what the system allows
  std::uint64_t data_rate = 500;                    // octets a second, from timeouts.data_rate_after on; 0: any
  std::uint64_t hops = 100;
  std::uint64_t command_line = 4096;
  std::uint64_t text_line = 64u << 10;
  std::uint64_t junk_commands = 100;
  std::uint64_t unknown_recipients = 5;
  std::uint64_t unknown_recipients_close = 20;
  std::uint64_t bdat_chunks = 10000;
  std::uint64_t dns_per_message = 100;
  std::uint64_t dns_per_session = 200;
  bool allow_routed_local = false;
};

struct TimeoutSettings {
  Duration greeting = std::chrono::seconds(300);  // from our 220 to the first command
  Duration command = std::chrono::seconds(300);
  // In place of greeting, command and data_block, where these are longer.
  Duration under_pressure = std::chrono::seconds(10);
  Duration handshake = std::chrono::seconds(30);
  Duration data_block = std::chrono::seconds(180);
  Duration data_rate_after = std::chrono::seconds(60);
  Duration data_total = std::chrono::hours(1);
  Duration upstream_connect = std::chrono::seconds(30);
  Duration upstream_reply = std::chrono::seconds(60);
  Duration final_reply = std::chrono::seconds(240);
  Duration policy = std::chrono::seconds(20);
  Duration drain = std::chrono::seconds(600);
};

enum class Balance : std::uint8_t { least_sessions, failover };
enum class UpstreamProtocol : std::uint8_t { smtp, lmtp };

// What our EHLO offers of the extensions that a server has to honour.
struct OfferedExtensions {
  // True: those that all servers known to us have; false: `keywords`, whatever is known.
  bool is_common = true;
  std::vector<std::string> keywords;  // of offerable_extensions
  friend bool operator==(const OfferedExtensions&, const OfferedExtensions&) = default;
};
// The EHLO keywords that depend on the servers. All others that the gateway offers are its own.
inline constexpr auto offerable_extensions =
    std::to_array<std::string_view>({"8BITMIME", "SMTPUTF8", "DSN", "REQUIRETLS"});
// How a server learns the client's own address: from our header fields alone, or also as gateway/upstream/client_info.h
// says.
enum class ClientInfoWay : std::uint8_t { headers, xclient, xforward, proxy_v1, proxy_v2, tproxy };

struct UpstreamSettings {
  std::string name;
  std::vector<Endpoint> servers;
  Balance balance = Balance::least_sessions;
  UpstreamProtocol protocol = UpstreamProtocol::smtp;
  std::vector<std::string> hide;  // EHLO keywords of the servers that are taken for absent, in capitals
  OfferedExtensions extensions;
  tls::ClientTlsSettings tls;  // mode opportunistic
  ClientInfoWay client_info = ClientInfoWay::headers;
  std::uint64_t max_connections = 100;  // per server
  // When a kept connection is not used again: at this age, after so many mails, or unused for so long. A server's
  // session holds tables as old as itself.
  Duration connection_age = std::chrono::minutes(5);
  std::uint64_t connection_mails = 100;
  Duration connection_idle = std::chrono::seconds(60);
  Duration health_interval = std::chrono::seconds(10);
};

struct TenantSettings {
  std::string name;
  std::vector<std::string> domains;  // "example.com", "*.example.com"; lower case
  std::string upstream = "default";
  // The settings of all policies with what this tenant overrides. Empty when the settings were not loaded from a file;
  // then Settings::policy applies.
  settings::Set policy;
};

// Load balancers and hosts of our own (threats.md S41).
struct TrustedSettings {
  std::vector<IpNetwork> networks;
};

struct StateSettings {
  std::string path = "/var/lib/sallyport";
};

// The admin process: figures and health over HTTP (gateway/admin).
struct AdminSettings {
  std::optional<SocketAddress> listen;  // nothing: there is no such process
};

struct Settings {
  std::string hostname;
  std::uint64_t workers = 0;  // 0 = one per core
  std::string user = "sallyport";
  std::vector<ListenSettings> listen;
  tls::ServerTlsSettings tls;  // no certificate: STARTTLS is not offered
  resolver::ResolverSettings dns;
  LimitSettings limits;
  TimeoutSettings timeouts;
  std::map<std::string, UpstreamSettings> upstreams;
  std::map<std::string, TenantSettings> tenants;
  TrustedSettings trusted;
  settings::Set policy{policies::policy_sections()};
  StateSettings state;
  AdminSettings admin;
  LogSettings log;
};

// The TLS settings of one listener: the shared certificates, and what the listener asks of clients.
inline tls::ServerTlsSettings tls_of(const Settings& settings, const ListenSettings& listener) {
  tls::ServerTlsSettings tls = settings.tls;
  tls.client_certificates = listener.client_cert;
  tls.client_ca_file = listener.client_ca;
  return tls;
}

// No mail is relayed: MTAs ask us about theirs, and that is all.
inline bool is_milter_alone(const Settings& settings) {
  return !settings.listen.empty() &&
         std::all_of(settings.listen.begin(), settings.listen.end(),
                     [](const ListenSettings& listener) { return listener.protocol == ListenProtocol::milter; });
}

// The policies' settings that judge a tenant's mail.
inline const settings::Set& policy_of(const Settings& settings, const TenantSettings& tenant) {
  return tenant.policy.is_empty() ? settings.policy : tenant.policy;
}

}  // namespace config

template <>
inline constexpr auto words_of<config::ListenProtocol> = std::to_array<std::string_view>({"smtp", "milter"});
template <>
inline constexpr auto words_of<config::ListenTls> = std::to_array<std::string_view>({"off", "starttls", "implicit"});
template <>
inline constexpr auto words_of<config::BareNewlinePolicy> = std::to_array<std::string_view>({"normalize", "reject"});
template <>
inline constexpr auto words_of<config::UpstreamProtocol> = std::to_array<std::string_view>({"smtp", "lmtp"});
template <>
inline constexpr auto words_of<config::Balance> = std::to_array<std::string_view>({"least-sessions", "failover"});
template <>
inline constexpr auto words_of<config::ClientInfoWay> =
    std::to_array<std::string_view>({"headers", "xclient", "xforward", "proxy-v1", "proxy-v2", "tproxy"});

}  // namespace sallyport
