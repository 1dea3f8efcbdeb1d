#include "gateway/cli/init_outside.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "gateway/base/counters.h"
#include "gateway/base/id.h"
#include "gateway/base/log.h"
#include "gateway/base/text.h"
#include "gateway/base/text_safety.h"
#include "gateway/cli/look_up_names.h"
#include "gateway/config/own_doors.h"
#include "gateway/dns/answer.h"
#include "gateway/dns/question.h"
#include "gateway/resolver/cache.h"
#include "gateway/resolver/resolver.h"
#include "gateway/tls/context.h"
#include "gateway/upstream/channel.h"
#include "gateway/upstream/name_book.h"
#include "gateway/uv/datagram.h"
#include "gateway/uv/dialer.h"
#include "gateway/uv/loop.h"

namespace sallyport::cli {
namespace {

using Kind = InitFinding::Kind;

constexpr Duration patience = std::chrono::seconds(5);

class Outside {
 public:
  Outside(const config::Settings& settings, resolver::Cache& cache, Counters& counters, Log& log)
      : settings_(settings),
        connections_(loop_),
        datagrams_(loop_),
        dns_(loop_.scheduler(), datagrams_, connections_, cache, settings.dns, counters, log),
        own_(config::addresses_of_this_host()) {}

  InitFindings run(const upstream::NameBook& names) {
    loop_.run_until_done(look(names));
    return std::move(findings_);
  }

 private:
  void find(Kind kind, std::string topic, std::string text, std::string cure = {}) {
    findings_.push_back({kind, std::move(topic), std::move(text), std::move(cure)});
  }

  Task<bool> look(const upstream::NameBook& names) {
    for (const auto& [name, upstream] : settings_.upstreams) {
      for (const Endpoint& server : upstream.servers) co_await look_at_server(upstream, server, names);
    }
    bool has_dns = true;
    for (const auto& [name, tenant] : settings_.tenants) {
      for (const std::string& domain : tenant.domains) {
        if (has_dns && !domain.starts_with("*.")) has_dns = co_await look_at_domain(domain);
      }
    }
    if (has_dns) has_dns = co_await look_at_lies();
    if (has_dns) co_await look_at_own_name();
    co_return has_dns;
  }

  // --- The mail server

  Task<void> look_at_server(const config::UpstreamSettings& upstream, const Endpoint& server,
                            const upstream::NameBook& names) {
    if (!server.is_name()) {
      co_await connect_to(upstream, server);
      co_return;
    }
    const std::vector<IpAddress> addresses = names.addresses(server.host());
    if (addresses.empty()) {
      find(Kind::problem, "upstream", server.host() + " has no address (" + names.problem(server.host()) + ")",
           "give its address instead of its name, or add the name to DNS or /etc/hosts");
    }
    for (const IpAddress& address : addresses) {
      const Endpoint one = server.at(address);
      co_await connect_to(upstream, one);
    }
  }

  Task<void> connect_to(const config::UpstreamSettings& wanted, Endpoint server) {
    const auto context = tls::make_client_context(wanted.tls);
    const tls::ClientContext* client = context ? context->get() : nullptr;
    const upstream::UpstreamTimeouts timeouts{patience, patience, loop_.scheduler().now() + 3 * patience};
    auto opened = co_await upstream::UpstreamChannel::open(loop_.scheduler(), connections_, client, wanted, server,
                                                           settings_.hostname, timeouts);
    const std::string name = server.to_string();
    if (!opened) {
      const std::string why = opened.error().detail.empty() ? "no answer" : text::showable(opened.error().detail);
      find(Kind::problem, "upstream", name + " cannot take mail from here: " + why,
           opened.error().was_connected
               ? "look into its log: it has accepted the connection; it must take mail from this host (Postfix: "
                 "mynetworks and the limits of smtpd_client_*; Exchange: a receive connector)"
               : "start it, correct the address (--upstream), or let the packet filter pass this host to it");
      co_return;
    }
    const bool is_tls = (*opened)->is_tls();
    const bool is_local = server.is_unix() || server.address().ip.is_loopback();
    co_await (*opened)->say_goodbye();
    if (is_tls || is_local) {
      find(Kind::ok, "upstream", name + " answers, " + (is_tls ? "with TLS" : "on this host, without TLS"));
    } else {
      find(Kind::notice, "upstream", name + " answers, and offers no STARTTLS: mail goes to it in the clear",
           "give it a certificate, if others can listen on the way to it");
    }
  }

  // --- DNS

  Task<dns::Answer> ask(std::string name, dns::Type type) {
    dns::Question question{text::to_lower(name), type};
    const Time deadline = loop_.scheduler().now() + patience;
    co_return co_await dns_.lookup(std::move(question), deadline);
  }

  Task<std::vector<IpAddress>> addresses_of(std::string name) {
    std::vector<IpAddress> found;
    for (const dns::Type type : {dns::Type::A, dns::Type::AAAA}) {
      const dns::Answer answer = co_await ask(name, type);
      failed_ = failed_ || answer.failed();
      for (const dns::RecordData& record : answer.records) {
        if (const auto* address = std::get_if<IpAddress>(&record)) found.push_back(*address);
      }
    }
    co_return found;
  }

  bool is_own(const std::vector<IpAddress>& addresses) const {
    return std::any_of(addresses.begin(), addresses.end(), [this](const IpAddress& address) {
      return std::find(own_.begin(), own_.end(), address) != own_.end();
    });
  }

  // False: nobody answers, and to ask for the next one would only take time.
  Task<bool> look_at_domain(std::string domain) {
    const dns::Answer answer = co_await ask(domain, dns::Type::MX);
    if (answer.failed()) {
      std::vector<std::string> servers;
      for (const SocketAddress& server : settings_.dns.servers) servers.push_back(server.to_string());
      find(Kind::problem, "dns",
           "no answer about " + domain + " from " + text::join(servers, ", ") + " (" +
               std::string(name(answer.status)) + "): the checks of senders, and DNS lists, would find out nothing",
           "run a resolver on this host, such as unbound, and name it (--dns 127.0.0.1)");
      failed_ = true;
      co_return answer.status == dns::Status::servfail;
    }
    if (!said_that_dns_answers_) find(Kind::ok, "dns", "the DNS server answers");
    said_that_dns_answers_ = true;
    const std::string record = domain + ". MX 10 " + settings_.hostname + ".";
    if (answer.is_absent()) {
      find(Kind::notice, "mx", domain + " has no MX record: mail for it does not come here", "publish: " + record);
      co_return true;
    }
    std::vector<std::string> elsewhere;
    bool is_here = false;
    for (const dns::RecordData& data : answer.records) {
      const auto* mx = std::get_if<dns::Mx>(&data);
      if (mx == nullptr) continue;
      const bool leads_here =
          text::equals_ignoring_case(mx->exchange, settings_.hostname) || is_own(co_await addresses_of(mx->exchange));
      is_here = is_here || leads_here;
      if (!leads_here) elsewhere.push_back(mx->exchange.empty() ? "nowhere (a null MX)" : mx->exchange);
    }
    const std::string others = text::showable(text::join(elsewhere, ", "));
    if (elsewhere.empty()) {
      find(Kind::ok, "mx", "mail for " + domain + " is led here");
    } else if (is_here) {
      find(Kind::notice, "mx", "mail for " + domain + " is led here, and also to " + others,
           "if these are not gateways too, strangers go around this one by them");
    } else {
      find(Kind::notice, "mx", "mail for " + domain + " is led to " + others + ", not here",
           "when all else works, publish: " + record);
    }
    co_return true;
  }

  // RFC 6761, 6.4: nothing is below "invalid". A server that gives an address for it, to lead people to a page of its
  // own, has one for every name that a DNS list does not know either: then every client is listed.
  Task<bool> look_at_lies() {
    std::string name = "sallyport-" + std::to_string(random_seed()) + ".invalid";
    const dns::Answer answer = co_await ask(name, dns::Type::A);
    if (answer.records.empty()) co_return true;
    find(Kind::problem, "dns",
         "the DNS server gives an address for " + name + ", a name that cannot be: DNS lists would list everybody",
         "ask a resolver that does not do that, best one on this host, such as unbound (--dns 127.0.0.1)");
    co_return false;
  }

  Task<void> look_at_own_name() {
    const std::vector<IpAddress> addresses = co_await addresses_of(settings_.hostname);
    // Without an answer nothing can be said of it; that there is none has been said.
    if (addresses.empty() && failed_) co_return;
    if (addresses.empty()) {
      find(Kind::notice, "dns", settings_.hostname + " has no address in DNS: other hosts cannot find it",
           "publish an A or AAAA record for " + settings_.hostname);
    } else if (!is_own(addresses)) {
      find(Kind::notice, "dns",
           settings_.hostname + " is " + addresses.front().to_string() + ", which is no address of this host",
           "right behind a router or balancer that passes port 25 on to this host; else correct the record");
    } else {
      find(Kind::ok, "dns", settings_.hostname + " is an address of this host");
    }
  }

  const config::Settings& settings_;
  uv::Loop loop_;
  uv::Dialer connections_;
  uv::DatagramDialer datagrams_;
  resolver::Resolver dns_;
  const std::vector<IpAddress> own_;
  InitFindings findings_;
  bool said_that_dns_answers_ = false;
  bool failed_ = false;  // a question got no answer
};

}  // namespace

InitFindings look_outside(const config::Settings& settings) {
  Counters counters;
  // What goes wrong is in the findings; the log would say it a second time.
  auto log = open_log({LogFormat::text, "file:/dev/null", LogLevel::error}, counters);
  if (!log) return {{Kind::problem, "dns", log.error().message, "see to it that /dev/null is there"}};
  resolver::Cache cache(settings.dns.cache_entries);
  upstream::NameBook names;
  look_up_names(settings, names, cache, counters, **log);
  return Outside(settings, cache, counters, **log).run(names);
}

}  // namespace sallyport::cli
