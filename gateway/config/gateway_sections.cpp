#include "gateway/config/gateway_sections.h"

#include <string>
#include <vector>

#include "gateway/config/extension_types.h"

namespace sallyport {

template <>
inline constexpr auto words_of<LogFormat> = std::to_array<std::string_view>({"text", "json"});
template <>
inline constexpr auto words_of<LogSchema> = std::to_array<std::string_view>({"sallyport", "ecs"});
template <>
inline constexpr auto words_of<LogLevel> = std::to_array<std::string_view>({"debug", "info", "warning", "error"});

namespace config {
namespace {

using settings::bare_row;
using settings::Collection;
using settings::NameRule;
using settings::Place;
using settings::Reload;
using settings::Row;
using settings::row;
using settings::SectionOf;
namespace type = settings::type;

// --- Top level

// Keys that take effect while files are read.
struct FileSettings {
  std::vector<std::string> include;
};

constexpr Row top_rows[] = {
    row<&Settings::hostname>("hostname", type::domain,
                             "The name this server greets with, and signs its trace fields with.", {.required = true}),
    row<&Settings::workers>("workers", "How many threads serve; 0 for one per core.",
                            {.least = "0", .most = "1024", .reload = Reload::restart}),
    row<&Settings::user>("user",
                         "When started as root: the user that is taken once sockets, keys, log and state are open.",
                         {.reload = Reload::restart}),
};
constexpr SectionOf<Settings> top_section{"", top_rows};

constexpr Row file_rows[] = {
    bare_row("domains", type::domains, "The domains mail is accepted for; short for tenants.default.domains.",
             {.least = "1", .stands_for = "tenants.*.domains"}),
    bare_row(
        "upstream", type::one_server,
        "The mail server that mail is relayed to: address, name or unix:/path; short for upstreams.default.servers.",
        {.stands_for = "upstreams.*.servers"}),
    row<&FileSettings::include>(
        "include", type::globs,
        "More files to read, as patterns relative to the file that names them; no key may be set twice.",
        {.reload = Reload::live, .while_loading = true}),
};
constexpr SectionOf<FileSettings> file_section{"", file_rows};

// --- Listeners

constexpr Row listen_rows[] = {
    row<&ListenSettings::address>(
        "address", listen_address_type,
        "Where to listen; [::] is both IPv6 and IPv4. With protocol = \"milter\" also unix:/path.",
        {.reload = Reload::live}),
    row<&ListenSettings::protocol>(
        "protocol", "What is spoken there: smtp with clients, or milter with an MTA that has its mail judged."),
    row<&ListenSettings::milter_from>("milter_from", "With protocol = \"milter\": the MTAs that may ask."),
    row<&ListenSettings::socket_mode>("socket_mode", file_mode_type,
                                      "With address = \"unix:/path\": who may connect, as permissions of that file.",
                                      {.reload = Reload::restart}),
    row<&ListenSettings::socket_group>("socket_group", type::text,
                                       "With address = \"unix:/path\": the group of that file, such as postfix.",
                                       {.reload = Reload::restart}),
    row<&ListenSettings::tls>("tls", "Whether TLS is offered by STARTTLS, spoken from the first octet, or not at all."),
    row<&ListenSettings::require_tls>("require_tls", "Whether mail is refused (530 5.7.0) until TLS is used."),
    row<&ListenSettings::bare_newline>(
        "bare_newline",
        "What a bare CR or LF in a message leads to: it is made a space or CRLF, or the message is refused."),
    row<&ListenSettings::proxy_protocol_from>("proxy_protocol_from",
                                              "These peers must send a PROXY header, and nobody else may."),
    row<&ListenSettings::xclient_from>("xclient_from", "These peers may say with XCLIENT for which client they speak."),
    row<&ListenSettings::client_cert>(
        "client_cert",
        "Whether clients are asked for a certificate with TLS, or get no handshake without one that verifies."),
    row<&ListenSettings::client_ca>(
        "client_ca", type::path,
        "A file with the authorities whose client certificates verify; empty for the system's."),
};
constexpr Collection listeners[] = {
    {"", NameRule::identifier, "One table for each address to listen on; without any, one on [::]:25."}};
constexpr SectionOf<ListenSettings> listen_section{"listen[]", listen_rows, listeners};

// --- Limits and timeouts

using L = LimitSettings;
constexpr Row limit_rows[] = {
    row<&L::message_size>("message_size", type::size,
                          "The largest message; announced with SIZE, refused with 552 5.3.4.",
                          {.least = "1KiB", .most = "4GiB"}),
    row<&L::recipients>("recipients", "Recipients of one message; further ones get 452 4.5.3.",
                        {.least = "1", .most = "1000000"}),
    row<&L::sessions>("sessions", "Sessions at once; further ones get 421 4.7.0.",
                      {.least = "1", .most = "10000000", .reload = Reload::live}),
    row<&L::sessions_per_ip>("sessions_per_ip",
                             "Sessions at once from one IPv4 address or one IPv6 /64; further ones get 421 4.7.0.",
                             {.least = "1", .most = "10000000", .reload = Reload::live}),
    row<&L::errors_per_session>("errors_per_session",
                                "Error replies to one session before it is closed with 421 4.7.0.",
                                {.least = "1", .most = "1000000"}),
    row<&L::memory_per_message>(
        "memory_per_message", type::size,
        "How much of a message is held in memory; beyond it the content goes to an unnamed file.",
        {.least = "4KiB", .most = "1GiB"}),
    row<&L::memory_under_pressure>(
        "memory_under_pressure", type::size,
        "The same while four fifths of limits.memory or limits.sessions are in use, where it is less.",
        {.least = "4KiB", .most = "1GiB"}),
    row<&L::memory>(
        "memory", type::size,
        "How much memory the program may have; from 80 % on new sessions get 421 4.3.2, from 95 % on new messages 452 "
        "4.3.1. 0 for what the system allows.",
        {.least = "0", .most = "1024TiB", .reload = Reload::live}),
    row<&L::data_rate>("data_rate", type::size,
                       "How many octets of a message have to come in a second, on average; 0 for any.",
                       {.least = "0", .most = "1GiB"}),
    row<&L::hops>("hops", "Received fields in a message; more are a loop and get 554 5.4.6.",
                  {.least = "1", .most = "10000"}),
    row<&L::command_line>("command_line", type::size, "The longest command line.", {.least = "512", .most = "64KiB"}),
    row<&L::text_line>("text_line", type::size, "The longest line of a message; a longer one gets 550 5.6.0.",
                       {.least = "1000", .most = "64MiB"}),
    row<&L::junk_commands>(
        "junk_commands",
        "NOOP, RSET, HELO, EHLO, VRFY and HELP without a delivered message before each further one is an error.",
        {.least = "1", .most = "1000000"}),
    row<&L::unknown_recipients>(
        "unknown_recipients",
        "Recipients of a session that may be refused for good before further refusals are delayed by a second.",
        {.least = "1", .most = "1000000"}),
    row<&L::unknown_recipients_close>(
        "unknown_recipients_close",
        "Recipients of a session that may be refused for good before it is closed with 421 4.7.0.",
        {.least = "1", .most = "1000000"}),
    row<&L::bdat_chunks>("bdat_chunks", "Chunks of one message sent with BDAT; more close the session with 421 4.7.0.",
                         {.least = "1", .most = "1000000000"}),
    row<&L::dns_per_message>("dns_per_message", "DNS questions one message may cause.",
                             {.least = "1", .most = "1000000"}),
    row<&L::dns_per_session>("dns_per_session",
                             "DNS questions one session may cause, not counting those of relayed messages.",
                             {.least = "1", .most = "1000000"}),
    row<&L::allow_routed_local>("allow_routed_local",
                                "Whether recipients may have %, ! or a second @ in their local part."),
};
constexpr SectionOf<LimitSettings> limits_section{"limits", limit_rows};

using T = TimeoutSettings;
constexpr Row timeout_rows[] = {
    row<&T::greeting>("greeting", "From our 220 to the first command.", {.least = "1s", .most = "1d"}),
    row<&T::command>("command", "For each complete command.", {.least = "1s", .most = "1d"}),
    row<&T::under_pressure>("under_pressure",
                            "For each command and each block of a message while four fifths of the memory or of the "
                            "sessions are in use.",
                            {.least = "1s", .most = "1d"}),
    row<&T::handshake>("handshake", "For a TLS handshake.", {.least = "1s", .most = "1h"}),
    row<&T::data_block>("data_block", "For each block of a message.", {.least = "1s", .most = "1d"}),
    row<&T::data_rate_after>("data_rate_after", "For how long a message may be slower than data_rate says.",
                             {.least = "1s", .most = "1d"}),
    row<&T::data_total>("data_total", "For a whole message.", {.least = "1s", .most = "7d"}),
    row<&T::upstream_connect>("upstream_connect", "For a connection to an upstream, all its servers together.",
                              {.least = "100ms", .most = "1h"}),
    row<&T::upstream_reply>("upstream_reply", "For each reply of an upstream, and each block sent to it.",
                            {.least = "100ms", .most = "1h"}),
    row<&T::final_reply>("final_reply", "From the end of a message to our reply, all checks and the upstream included.",
                         {.least = "1s", .most = "1h"}),
    row<&T::policy>("policy",
                    "For all that the checks of one message look up; before, for what those of each stage do.",
                    {.least = "100ms", .most = "1h"}),
    row<&T::drain>("drain", "For messages under way when the program stops.",
                   {.least = "0s", .most = "1d", .reload = Reload::live}),
};
constexpr SectionOf<TimeoutSettings> timeouts_section{"timeouts", timeout_rows};

// --- Upstreams and tenants

using U = UpstreamSettings;
constexpr Row upstream_rows[] = {
    row<&U::servers>("servers", type::servers,
                     "The mail servers: addresses, names (every address of a name is a server), unix:/path.",
                     {.least = "1", .required = true}),
    row<&U::balance>("balance",
                     "Which server is taken: the one with the fewest sessions of ours, or the first that answers."),
    row<&U::protocol>("protocol",
                      "What the servers speak; with lmtp a mail is for one recipient, others get 452 4.5.3."),
    row<&U::hide>("hide", ehlo_keywords_type, "EHLO keywords of the servers that are taken for absent."),
    row<&U::extensions>("extensions", offered_extensions_type,
                        "Of 8BITMIME, SMTPUTF8, DSN and REQUIRETLS our EHLO offers: what all servers known to us have, "
                        "or these whatever is known."),
    row<&U::tls, &tls::ClientTlsSettings::mode>(
        "tls", "TLS to the servers: never, when offered, always, or always with a certificate that verifies."),
    row<&U::tls, &tls::ClientTlsSettings::name>(
        "tls_name", type::domain, "The name the certificate must bear; empty for the name or address in `servers`."),
    row<&U::tls, &tls::ClientTlsSettings::ca_file>(
        "tls_ca", type::path, "A file with the authorities whose certificates verify; empty for the system's."),
    row<&U::client_info>(
        "client_info",
        "How the servers learn the client's own address: from the header of the mail alone, by XCLIENT "
        "or XFORWARD before MAIL, by a PROXY header before all else, or because the connection comes from there."),
    row<&U::max_connections>("max_connections", "Connections to each server at once.",
                             {.least = "1", .most = "100000"}),
    row<&U::connection_age>("connection_age", "How old a kept connection may be that is used again; 0s keeps none.",
                            {.least = "0s", .most = "1d", .reload = Reload::live}),
    row<&U::connection_mails>(
        "connection_mails", "How many mails go on one connection; fewer where the server says so with LIMITS MAILMAX.",
        {.least = "1", .most = "1000000", .reload = Reload::live}),
    row<&U::connection_idle>("connection_idle", "How long a connection is kept without a mail; 0s keeps none.",
                             {.least = "0s", .most = "1h", .reload = Reload::live}),
    row<&U::health_interval>("health_interval", "How often the servers are probed.",
                             {.least = "100ms", .most = "1h", .reload = Reload::live}),
};
constexpr Collection upstreams[] = {{"", NameRule::identifier, "A group of mail servers behind this gateway."}};
constexpr SectionOf<UpstreamSettings> upstreams_section{"upstreams.*", upstream_rows, upstreams};

constexpr Row tenant_rows[] = {
    row<&TenantSettings::domains>("domains", type::domains,
                                  "The domains mail is accepted for; \"*.example.com\" stands for every name below.",
                                  {.least = "1", .required = true}),
    row<&TenantSettings::upstream>("upstream", "The upstream that mail is relayed to, by its name."),
};
constexpr Collection tenants[] = {{"", NameRule::identifier, "An organisation whose mail is served."}};
constexpr SectionOf<TenantSettings> tenants_section{"tenants.*", tenant_rows, tenants};

// --- Trusted clients

constexpr Row trusted_rows[] = {
    row<&TrustedSettings::networks>("networks",
                                    "Clients without rates, without limits.sessions_per_ip and without look-ups in DNS "
                                    "lists; in all else they are clients like others."),
};
constexpr SectionOf<TrustedSettings> trusted_section{"trusted", trusted_rows};

// --- State and log

constexpr Row state_rows[] = {
    row<&StateSettings::path>("path", type::path,
                              "The directory for the control socket, spool files and what has to be remembered.",
                              {.reload = Reload::restart}),
};
constexpr SectionOf<StateSettings> state_section{"state", state_rows};

constexpr Row admin_rows[] = {
    row<&AdminSettings::listen>("listen", optional_address_type,
                                "Where /metrics, /healthz and /readyz are served; empty: nowhere.",
                                {.reload = Reload::restart}),
};
constexpr SectionOf<AdminSettings> admin_section{"admin", admin_rows};

constexpr Row log_rows[] = {
    row<&LogSettings::format>("format", "How a line of the log is written.", {.reload = Reload::restart}),
    row<&LogSettings::schema>("schema",
                              "How the fields of JSON are called: sallyport, or ecs as Elastic's common schema.",
                              {.reload = Reload::restart}),
    row<&LogSettings::target>("target", type::log_target,
                              "Where the log goes: stderr, journal, journal:/path (another socket) or file:/path.",
                              {.reload = Reload::restart}),
    row<&LogSettings::level>("level", "The least important lines that are written.", {.reload = Reload::restart}),
};
constexpr SectionOf<LogSettings> log_section{"log", log_rows};

// --- Where each struct is

using Which = std::span<const Place>;

template <auto Member>
void* part(Settings& settings, Which) {
  return &(settings.*Member);
}

void* whole(Settings& settings, Which) { return &settings; }

void* listener(Settings& settings, Which which) {
  if (settings.listen.size() <= which.front().index) settings.listen.resize(which.front().index + 1);
  return &settings.listen[which.front().index];
}

// Gives an element of a map, and sets the struct's `name` to its key.
template <auto Map>
void* named(Settings& settings, Which which) {
  auto& found = (settings.*Map)[which.front().name];
  found.name = which.front().name;
  return &found;
}

}  // namespace

std::span<const GatewaySection> sections_before_policy() {
  static constexpr GatewaySection list[] = {
      {&file_section, nullptr},
      {&top_section, whole},
      {&listen_section, listener},
      {&tls::server_tls_section, part<&Settings::tls>},
      {&resolver::resolver_section, part<&Settings::dns>},
      {&limits_section, part<&Settings::limits>},
      {&timeouts_section, part<&Settings::timeouts>},
      {&upstreams_section, named<&Settings::upstreams>},
      {&tenants_section, named<&Settings::tenants>},
      {&trusted_section, part<&Settings::trusted>},
  };
  return list;
}

std::span<const GatewaySection> sections_after_policy() {
  static constexpr GatewaySection list[] = {
      {&state_section, part<&Settings::state>},
      {&admin_section, part<&Settings::admin>},
      {&log_section, part<&Settings::log>},
  };
  return list;
}

}  // namespace config
}  // namespace sallyport
