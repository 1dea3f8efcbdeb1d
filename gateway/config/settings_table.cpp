#include "gateway/config/settings_table.h"

#include <array>

#include "gateway/base/ensure.h"

namespace sallyport::config {
namespace {

constexpr std::nullopt_t required = std::nullopt;
constexpr std::string_view nothing = "";  // a text, domain or path that is not set
constexpr std::string_view empty_list = "[]";
constexpr Field no_field = {};
constexpr Reload live = Reload::live;
constexpr Reload new_connections = Reload::new_connections;
constexpr Reload restart = Reload::restart;
constexpr std::array<std::string_view, 2> tls_versions{"1.2", "1.3"};

// The structs that hold the fields.
Settings& top(Settings& s, const Instance&) { return s; }
ListenSettings& listener(Settings& s, const Instance& which) {
  if (s.listen.size() <= which.index) s.listen.resize(which.index + 1);
  return s.listen[which.index];
}
tls::ServerTlsSettings& server_tls(Settings& s, const Instance&) { return s.tls; }
std::vector<tls::CertificateFiles>& sni(Settings& s, const Instance& which) { return s.tls.sni[which.name]; }
resolver::ResolverSettings& dns(Settings& s, const Instance&) { return s.dns; }
LimitSettings& limits(Settings& s, const Instance&) { return s.limits; }
TimeoutSettings& timeouts(Settings& s, const Instance&) { return s.timeouts; }
UpstreamSettings& upstream(Settings& s, const Instance& which) {
  UpstreamSettings& found = s.upstreams[which.name];
  found.name = which.name;
  return found;
}
tls::ClientTlsSettings& upstream_tls(Settings& s, const Instance& which) { return upstream(s, which).tls; }
TenantSettings& tenant(Settings& s, const Instance& which) {
  TenantSettings& found = s.tenants[which.name];
  found.name = which.name;
  return found;
}
policies::DnsblSettings& dnsbl(Settings& s, const Instance&) { return s.policy.dnsbl; }
policies::DnsblZone& zone(Settings& s, const Instance& which) { return s.policy.dnsbl.zones[which.name]; }
policies::RateSettings& rates(Settings& s, const Instance&) { return s.policy.rate; }
policies::HeloSettings& helo(Settings& s, const Instance&) { return s.policy.helo; }
policies::RdnsSettings& rdns(Settings& s, const Instance&) { return s.policy.rdns; }
policies::DmarcSettings& dmarc(Settings& s, const Instance&) { return s.policy.dmarc; }
policies::DmarcReportSettings& dmarc_report(Settings& s, const Instance&) { return s.policy.dmarc_report; }
policies::DkimSettings& dkim(Settings& s, const Instance&) { return s.policy.dkim; }
policies::ArcSettings& arc(Settings& s, const Instance&) { return s.policy.arc; }
policies::ArcSealSettings& arc_seal(Settings& s, const Instance&) { return s.policy.arc.seal; }
policies::SpfSettings& spf(Settings& s, const Instance&) { return s.policy.spf; }
policies::ActionSettings& actions(Settings& s, const Instance&) { return s.policy.actions; }
lua::RuleSettings& rules(Settings& s, const Instance&) { return s.rules; }
StateSettings& state(Settings& s, const Instance&) { return s.state; }
LogSettings& log(Settings& s, const Instance&) { return s.log; }

using L = LimitSettings;
using T = TimeoutSettings;

// clang-format off
std::vector<Key> make_table() {
  return {
  {"hostname", Type::domain, required, "", "", new_connections, field<top, &Settings::hostname>,
   "The name this server greets with, and signs its trace fields with."},
  {"domains", Type::domains, empty_list, "1", "", new_connections, no_field,
   "The domains mail is accepted for; short for tenants.default.domains.",
   {}, 0, {}, "tenants.*.domains"},
  {"upstream", Type::address, nothing, "", "", new_connections, no_field,
   "The mail server that mail is relayed to; short for upstreams.default.servers.",
   {}, 25, {}, "upstreams.*.servers"},
  {"include", Type::globs, empty_list, "", "", live, no_field,
   "More files to read, as patterns relative to the file that names them; no key may be set twice."},
  {"workers", Type::integer, "0", "0", "1024", restart, field<top, &Settings::workers>,
   "How many threads serve; 0 for one per core."},
  {"user", Type::text, "sallyport", "", "", restart, field<top, &Settings::user>,
   "When started as root: the user that is taken once sockets, keys, log and state are open."},

  {"listen[].address", Type::address, "[::]:25", "", "", restart, field<listener, &ListenSettings::address>,
   "Where to listen; [::] is both IPv6 and IPv4."},
  {"listen[].tls", Type::word, "starttls", "", "", new_connections, field<listener, &ListenSettings::tls>,
   "Whether TLS is offered by STARTTLS, spoken from the first octet, or not at all."},
  {"listen[].require_tls", Type::boolean, "false", "", "", new_connections, field<listener, &ListenSettings::require_tls>,
   "Whether mail is refused (530 5.7.0) until TLS is used."},
  {"listen[].bare_newline", Type::word, "normalize", "", "", new_connections,
   field<listener, &ListenSettings::bare_newline>,
   "What a bare CR or LF in a message leads to: it is made a space or CRLF, or the message is refused."},
  {"listen[].proxy_protocol_from", Type::networks, empty_list, "", "", new_connections,
   field<listener, &ListenSettings::proxy_protocol_from>,
   "These peers must send a PROXY header, and nobody else may."},
  {"listen[].client_cert", Type::word, "off", "", "", new_connections, field<listener, &ListenSettings::client_cert>,
   "Whether clients are asked for a certificate with TLS, or get no handshake without one that verifies."},
  {"listen[].client_ca", Type::path, nothing, "", "", new_connections, field<listener, &ListenSettings::client_ca>,
   "A file with the authorities whose client certificates verify; empty for the system's."},

  {"tls.cert", Type::certificates, empty_list, "", "", new_connections,
   field<server_tls, &tls::ServerTlsSettings::certificates>,
   "The certificate for clients, or several with different kinds of keys; without one STARTTLS is not offered."},
  {"tls.min_version", Type::word, "1.2", "", "", new_connections,
   field<server_tls, &tls::ServerTlsSettings::min_version>,
   "The oldest version of TLS that clients may use.", tls_versions},
  {"tls.sni.*.cert", Type::certificates, required, "", "", new_connections, whole<sni>,
   "The certificate for clients that ask for this name."},

  {"dns.servers", Type::addresses, empty_list, "", "", restart, field<dns, &resolver::ResolverSettings::servers>,
   "The recursive name servers, asked in this order; empty for those of /etc/resolv.conf.", {}, 53},
  {"dns.timeout", Type::duration, "5s", "100ms", "60s", restart, field<dns, &resolver::ResolverSettings::timeout>,
   "How long one question may take, all servers and retries together."},
  {"dns.cache_entries", Type::integer, "100000", "0", "100000000", restart,
   field<dns, &resolver::ResolverSettings::cache_entries>,
   "How many answers are kept."},
  {"dns.use_0x20", Type::boolean, "true", "", "", restart, field<dns, &resolver::ResolverSettings::use_0x20>,
   "Whether the case of letters in questions is random, so that forged answers are harder to guess."},
  {"dns.failure_ttl", Type::duration, "2s", "0s", "60s", restart,
   field<dns, &resolver::ResolverSettings::failure_ttl>,
   "How long a failure stands as the answer to its question."},
  {"dns.max_in_flight", Type::integer, "2000", "1", "60000", restart,
   field<dns, &resolver::ResolverSettings::max_in_flight>,
   "How many questions one worker may have open at once."},

  {"limits.message_size", Type::size, "50MiB", "1KiB", "4GiB", new_connections, field<limits, &L::message_size>,
   "The largest message; announced with SIZE, refused with 552 5.3.4."},
  {"limits.recipients", Type::integer, "1000", "1", "1000000", new_connections, field<limits, &L::recipients>,
   "Recipients of one message; further ones get 452 4.5.3."},
  {"limits.sessions", Type::integer, "20000", "1", "10000000", live, field<limits, &L::sessions>,
   "Sessions at once; further ones get 421 4.7.0."},
  {"limits.sessions_per_ip", Type::integer, "50", "1", "10000000", live, field<limits, &L::sessions_per_ip>,
   "Sessions at once from one IPv4 address or one IPv6 /64; further ones get 421 4.7.0."},
  {"limits.errors_per_session", Type::integer, "20", "1", "1000000", new_connections,
   field<limits, &L::errors_per_session>,
   "Error replies to one session before it is closed with 421 4.7.0."},
  {"limits.memory_per_message", Type::size, "256KiB", "4KiB", "1GiB", new_connections,
   field<limits, &L::memory_per_message>,
   "How much of a message is held in memory; beyond it the content goes to an unnamed file."},
  {"limits.hops", Type::integer, "100", "1", "10000", new_connections, field<limits, &L::hops>,
   "Received fields in a message; more are a loop and get 554 5.4.6."},
  {"limits.command_line", Type::size, "4KiB", "512", "64KiB", new_connections, field<limits, &L::command_line>,
   "The longest command line."},
  {"limits.text_line", Type::size, "64KiB", "1000", "64MiB", new_connections, field<limits, &L::text_line>,
   "The longest line of a message; a longer one gets 550 5.6.0."},
  {"limits.junk_commands", Type::integer, "100", "1", "1000000", new_connections, field<limits, &L::junk_commands>,
   "NOOP, RSET, HELO, EHLO, VRFY and HELP without a delivered message before each further one is an error."},
  {"limits.unknown_recipients", Type::integer, "5", "1", "1000000", new_connections,
   field<limits, &L::unknown_recipients>,
   "Recipients of a session that the upstream may refuse before refusals are delayed by a second."},
  {"limits.unknown_recipients_close", Type::integer, "20", "1", "1000000", new_connections,
   field<limits, &L::unknown_recipients_close>,
   "Recipients of a session that the upstream may refuse before it is closed with 421 4.7.0."},
  {"limits.bdat_chunks", Type::integer, "10000", "1", "1000000000", new_connections, field<limits, &L::bdat_chunks>,
   "Chunks of one message sent with BDAT; more close the session with 421 4.7.0."},
  {"limits.dns_per_message", Type::integer, "100", "1", "1000000", new_connections, field<limits, &L::dns_per_message>,
   "DNS questions one message may cause."},
  {"limits.dns_per_session", Type::integer, "200", "1", "1000000", new_connections, field<limits, &L::dns_per_session>,
   "DNS questions one session may cause, not counting those of relayed messages."},
  {"limits.allow_routed_local", Type::boolean, "false", "", "", new_connections, field<limits, &L::allow_routed_local>,
   "Whether recipients may have %, ! or a second @ in their local part."},

  {"timeouts.greeting", Type::duration, "300s", "1s", "1d", new_connections, field<timeouts, &T::greeting>,
   "From our 220 to the first command."},
  {"timeouts.command", Type::duration, "300s", "1s", "1d", new_connections, field<timeouts, &T::command>,
   "For each complete command."},
  {"timeouts.handshake", Type::duration, "30s", "1s", "1h", new_connections, field<timeouts, &T::handshake>,
   "For a TLS handshake."},
  {"timeouts.data_block", Type::duration, "180s", "1s", "1d", new_connections, field<timeouts, &T::data_block>,
   "For each block of a message."},
  {"timeouts.data_total", Type::duration, "1h", "1s", "7d", new_connections, field<timeouts, &T::data_total>,
   "For a whole message."},
  {"timeouts.upstream_connect", Type::duration, "30s", "100ms", "1h", new_connections,
   field<timeouts, &T::upstream_connect>,
   "For a connection to an upstream, all its servers together."},
  {"timeouts.upstream_reply", Type::duration, "60s", "100ms", "1h", new_connections, field<timeouts, &T::upstream_reply>,
   "For each reply of an upstream, and each block sent to it."},
  {"timeouts.final_reply", Type::duration, "240s", "1s", "1h", new_connections, field<timeouts, &T::final_reply>,
   "From the end of a message to our reply, all checks and the upstream included."},
  {"timeouts.policy", Type::duration, "20s", "100ms", "1h", new_connections, field<timeouts, &T::policy>,
   "For all that the checks of one message look up; before, for what those of each stage do."},
  {"timeouts.drain", Type::duration, "600s", "0s", "1d", live, field<timeouts, &T::drain>,
   "For messages under way when the program stops."},

  {"upstreams.*.servers", Type::addresses, required, "1", "", new_connections,
   field<upstream, &UpstreamSettings::servers>,
   "The mail servers, by IP address.", {}, 25},
  {"upstreams.*.balance", Type::word, "least-sessions", "", "", new_connections,
   field<upstream, &UpstreamSettings::balance>,
   "Which server is taken: the one with the fewest sessions of ours, or the first that answers."},
  {"upstreams.*.tls", Type::word, "opportunistic", "", "", new_connections,
   field<upstream_tls, &tls::ClientTlsSettings::mode>,
   "TLS to the servers: never, when offered, always, or always with a certificate that verifies."},
  {"upstreams.*.tls_name", Type::domain, nothing, "", "", new_connections,
   field<upstream_tls, &tls::ClientTlsSettings::name>,
   "The name the certificate must bear; empty for the server's own."},
  {"upstreams.*.tls_ca", Type::path, nothing, "", "", new_connections,
   field<upstream_tls, &tls::ClientTlsSettings::ca_file>,
   "A file with the authorities whose certificates verify; empty for the system's."},
  {"upstreams.*.max_connections", Type::integer, "100", "1", "100000", new_connections,
   field<upstream, &UpstreamSettings::max_connections>,
   "Connections to each server at once."},
  {"upstreams.*.health_interval", Type::duration, "10s", "100ms", "1h", live,
   field<upstream, &UpstreamSettings::health_interval>,
   "How often the servers are probed."},

  {"tenants.*.domains", Type::domains, required, "1", "", new_connections, field<tenant, &TenantSettings::domains>,
   "The domains mail is accepted for; \"*.example.com\" stands for every name below."},
  {"tenants.*.upstream", Type::text, "default", "", "", new_connections, field<tenant, &TenantSettings::upstream>,
   "The upstream that mail is relayed to, by its name."},

  {"policy.mode", Type::word, "enforce", "", "", new_connections, no_field,
   "How checks take part that say nothing of their own: refuse mail, only record what they would do, or not at all.",
   Words<policies::Mode>::list},
  {"policy.dnsbl.mode", Type::word, "enforce", "", "", new_connections, field<dnsbl, &policies::DnsblSettings::mode>,
   "How the DNS lists take part.", {}, 0, "policy.mode"},
  {"policy.dnsbl.reject_at", Type::number, "8.0", "-1000", "1000", new_connections,
   field<dnsbl, &policies::DnsblSettings::reject_at>,
   "The sum of the lists' scores at which recipients are refused with 550 5.7.1."},
  {"policy.dnsbl.score", Type::number, "1.0", "-1000", "1000", new_connections,
   field<dnsbl, &policies::DnsblSettings::score>,
   "What a hit on a list adds that has no score of its own."},
  {"policy.dnsbl.skip", Type::networks, empty_list, "", "", new_connections,
   field<dnsbl, &policies::DnsblSettings::skip>,
   "Clients that are not looked up."},
  {"policy.dnsbl.zones.*.score", Type::number, "1.0", "-1000", "1000", new_connections,
   field<zone, &policies::DnsblZone::score>,
   "What a hit adds; negative for a list of good clients.", {}, 0, "policy.dnsbl.score"},
  {"policy.dnsbl.zones.*.reply", Type::reply_ranges, R"(["127.0.0.2-127.0.0.254"])", "1", "", new_connections,
   field<zone, &policies::DnsblZone::reply>,
   "The answers that are a hit."},
  {"policy.dnsbl.zones.*.self_test", Type::boolean, "false", "", "", new_connections,
   field<zone, &policies::DnsblZone::self_test>,
   "Whether the list is asked for its test points (RFC 5782), and left out while they are wrong."},
  {"policy.rate.mode", Type::word, "enforce", "", "", new_connections, field<rates, &policies::RateSettings::mode>,
   "How the rate limits take part.", {}, 0, "policy.mode"},
  {"policy.rate.connect_per_ip", Type::rate, "60/1m burst 60", "", "", new_connections,
   field<rates, &policies::RateSettings::connect_per_ip>,
   "Connections from one address; more get 421 4.7.1."},
  {"policy.rate.mail_per_ip", Type::rate, "300/1h burst 100", "", "", new_connections,
   field<rates, &policies::RateSettings::mail_per_ip>,
   "Messages from one address; more get 451 4.7.1."},
  {"policy.rate.rcpt_per_sender_domain", Type::rate, "1000/1h", "", "", new_connections,
   field<rates, &policies::RateSettings::rcpt_per_sender_domain>,
   "Recipients of mail from one sender domain; more get 451 4.7.1."},
  {"policy.rate.mail_per_rcpt", Type::rate, "off", "", "", new_connections,
   field<rates, &policies::RateSettings::mail_per_rcpt>,
   "Messages to one recipient; more get 451 4.7.1."},
  {"policy.helo.mode", Type::word, "enforce", "", "", new_connections, field<helo, &policies::HeloSettings::mode>,
   "How the check of the client's greeting takes part.", {}, 0, "policy.mode"},
  {"policy.helo.score", Type::number, "2.0", "-1000", "1000", new_connections,
   field<helo, &policies::HeloSettings::score>,
   "What a name adds that is legal but that no honest mail server gives."},
  {"policy.rdns.mode", Type::word, "off", "", "", new_connections, field<rdns, &policies::RdnsSettings::mode>,
   "How the check of the client's reverse name takes part.", {}, 0, "policy.mode"},
  {"policy.rdns.score", Type::number, "2.0", "-1000", "1000", new_connections,
   field<rdns, &policies::RdnsSettings::score>,
   "What a client adds that has no reverse name, or none that leads back to its address."},
  {"policy.spf.mode", Type::word, "enforce", "", "", new_connections, field<spf, &policies::SpfSettings::mode>,
   "How the check of the sender by SPF (RFC 7208) takes part.", {}, 0, "policy.mode"},
  {"policy.spf.on_fail", Type::word, "score", "", "", new_connections, field<spf, &policies::SpfSettings::on_fail>,
   "What becomes of mail whose sender's domain does not allow the client."},
  {"policy.spf.on_softfail", Type::word, "score", "", "", new_connections,
   field<spf, &policies::SpfSettings::on_softfail>,
   "What becomes of mail whose sender's domain probably does not allow the client."},
  {"policy.spf.on_permerror", Type::word, "score", "", "", new_connections,
   field<spf, &policies::SpfSettings::on_permerror>,
   "What becomes of mail whose sender's domain has a record that cannot be evaluated."},
  {"policy.spf.on_temperror", Type::word, "none", "", "", new_connections,
   field<spf, &policies::SpfSettings::on_temperror>,
   "What becomes of mail that cannot be checked because the DNS does not answer."},
  {"policy.spf.score", Type::number, "2.0", "-1000", "1000", new_connections, field<spf, &policies::SpfSettings::score>,
   "What each of these results adds that is set to score."},
  {"policy.dkim.mode", Type::word, "enforce", "", "", new_connections, field<dkim, &policies::DkimSettings::mode>,
   "How the check of signatures by DKIM (RFC 6376) takes part.", {}, 0, "policy.mode"},
  {"policy.dkim.signatures", Type::integer, "10", "1", "100", new_connections,
   field<dkim, &policies::DkimSettings::signatures>,
   "How many signatures of a message are verified, from the top."},
  {"policy.dkim.score", Type::number, "0.0", "-1000", "1000", new_connections,
   field<dkim, &policies::DkimSettings::score>, "What mail adds that has signatures, none of which holds."},
  {"policy.arc.mode", Type::word, "enforce", "", "", new_connections, field<arc, &policies::ArcSettings::mode>,
   "How the check of ARC chains (RFC 8617) takes part.", {}, 0, "policy.mode"},
  {"policy.arc.trusted_sealers", Type::domains, empty_list, "", "", new_connections,
   field<arc, &policies::ArcSettings::trusted_sealers>,
   "The domains whose DMARC result counts when their seal holds."},
  {"policy.arc.score", Type::number, "0.0", "-1000", "1000", new_connections,
   field<arc, &policies::ArcSettings::score>, "What mail adds whose ARC chain is broken."},
  {"policy.arc.seal.domain", Type::domain, nothing, "", "", new_connections,
   field<arc_seal, &policies::ArcSealSettings::domain>,
   "The domain that mail changed here is sealed for; empty for no seal."},
  {"policy.arc.seal.selector", Type::domain, nothing, "", "", new_connections,
   field<arc_seal, &policies::ArcSealSettings::selector>, "The selector of that domain's key."},
  {"policy.arc.seal.key.file", Type::path, nothing, "", "", new_connections,
   field<arc_seal, &policies::ArcSealSettings::key_file>, "The file with that key, as PEM."},
  {"policy.dmarc.mode", Type::word, "enforce", "", "", new_connections, field<dmarc, &policies::DmarcSettings::mode>,
   "How the check of the author by DMARC (RFC 9989) takes part.", {}, 0, "policy.mode"},
  {"policy.dmarc.organizational_domain", Type::word, "tree-walk", "", "", new_connections,
   field<dmarc, &policies::DmarcSettings::organizational_domain>,
   "How the domain of an organization is found: by asking the DNS, or from the public suffix list."},
  {"policy.dmarc.on_reject", Type::word, "reject", "", "", new_connections,
   field<dmarc, &policies::DmarcSettings::on_reject>,
   "What becomes of failing mail whose author's domain asks for rejection."},
  {"policy.dmarc.on_quarantine", Type::word, "tag", "", "", new_connections,
   field<dmarc, &policies::DmarcSettings::on_quarantine>,
   "What becomes of failing mail whose author's domain asks for quarantine."},
  {"policy.dmarc.on_temperror", Type::word, "none", "", "", new_connections,
   field<dmarc, &policies::DmarcSettings::on_temperror>,
   "What becomes of mail that cannot be checked because the DNS does not answer."},
  {"policy.dmarc.score", Type::number, "0.0", "-1000", "1000", new_connections,
   field<dmarc, &policies::DmarcSettings::score>, "What failing mail adds, whatever its author's domain asks for."},
  {"policy.dmarc.report.enabled", Type::boolean, "false", "", "", restart,
   field<dmarc_report, &policies::DmarcReportSettings::enabled>,
   "Whether what aggregate reports (RFC 9990) tell is collected; sallyport dmarc report sends them."},
  {"policy.dmarc.report.organization", Type::text, nothing, "", "", new_connections,
   field<dmarc_report, &policies::DmarcReportSettings::organization>,
   "Who reports, by name; empty for the host name."},
  {"policy.dmarc.report.from", Type::text, nothing, "", "", new_connections,
   field<dmarc_report, &policies::DmarcReportSettings::from>,
   "The address that reports are sent from; somebody should read its bounces."},
  {"policy.dmarc.report.contact", Type::text, nothing, "", "", new_connections,
   field<dmarc_report, &policies::DmarcReportSettings::contact>,
   "Where people with questions about a report may turn, in words; empty to say nothing."},
  {"policy.dmarc.report.upstream", Type::text, "default", "", "", new_connections,
   field<dmarc_report, &policies::DmarcReportSettings::upstream>,
   "The upstream that reports are handed to; it must relay to everywhere."},
  {"policy.rules.path", Type::path, nothing, "", "", new_connections, field<rules, &lua::RuleSettings::path>,
   "A directory of rules in Lua; empty for none."},
  {"policy.rules.mode", Type::word, "enforce", "", "", new_connections, field<rules, &lua::RuleSettings::mode>,
   "How the rules take part.", {}, 0, "policy.mode"},
  {"policy.rules.on_error", Type::word, "tempfail", "", "", new_connections, field<rules, &lua::RuleSettings::on_error>,
   "What becomes of a mail when a rule fails or breaks its budget."},
  {"policy.rules.cpu", Type::duration, "50ms", "1ms", "10s", new_connections, field<rules, &lua::RuleSettings::cpu>,
   "CPU time of one run of a rule."},
  {"policy.rules.memory", Type::size, "16MiB", "64KiB", "1GiB", new_connections,
   field<rules, &lua::RuleSettings::memory>,
   "Memory of one run of a rule."},
  {"policy.actions.tag", Type::number, "5.0", "-1000", "1000", new_connections,
   field<actions, &policies::ActionSettings::tag>,
   "The summed score at which mail is relayed with a mark."},
  {"policy.actions.quarantine", Type::number, "10.0", "-1000", "1000", new_connections,
   field<actions, &policies::ActionSettings::quarantine>,
   "The summed score at which mail is set aside."},
  {"policy.actions.reject", Type::number, "15.0", "-1000", "1000", new_connections,
   field<actions, &policies::ActionSettings::reject>,
   "The summed score at which mail is refused."},

  {"state.path", Type::path, "/var/lib/sallyport", "", "", restart, field<state, &StateSettings::path>,
   "The directory for the control socket, spool files and what has to be remembered."},

  {"log.format", Type::word, "text", "", "", restart, field<log, &LogSettings::format>,
   "How a line of the log is written."},
  {"log.target", Type::log_target, "stderr", "", "", restart, field<log, &LogSettings::target>,
   "Where the log goes: stderr, journal or file:/path."},
  {"log.level", Type::word, "info", "", "", restart, field<log, &LogSettings::level>,
   "The least important lines that are written."},
  };
}
// clang-format on

}  // namespace

const std::vector<Key>& settings_table() {
  static const std::vector<Key> table = make_table();
  return table;
}

std::span<const Collection> collections() {
  static constexpr std::array<Collection, 5> list{{
      {"listen[]", NameRule::identifier, "One table for each address to listen on; without any, one on [::]:25."},
      {"tls.sni.*", NameRule::domain_or_wildcard, "A certificate by the name that clients ask for."},
      {"upstreams.*", NameRule::identifier, "A group of mail servers behind this gateway."},
      {"tenants.*", NameRule::identifier, "An organisation whose mail is served."},
      {"policy.dnsbl.zones.*", NameRule::domain, "A DNS list (RFC 5782)."},
  }};
  return list;
}

Shape Key::shape() const {
  return Shape{.type = type,
               .words = words.empty() ? field.words : words,
               .least = least,
               .most = most,
               .may_be_empty = by_default && by_default->empty(),
               .port = port};
}

std::string Key::default_toml() const {
  if (!by_default) broken("configuration: the default of a key that has none");
  return is_written_as_text(type) ? quote(*by_default) : std::string(*by_default);
}

std::string_view name(Reload reload) {
  switch (reload) {
    case Reload::live:
      return "live";
    case Reload::new_connections:
      return "new connections";
    case Reload::restart:
      return "restart";
  }
  broken("Reload: not one of its values");
}

}  // namespace sallyport::config
