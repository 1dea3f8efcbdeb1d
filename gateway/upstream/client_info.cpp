#include "gateway/upstream/client_info.h"

#include <utility>
#include <vector>

#include "gateway/base/domain_name.h"
#include "gateway/smtp/proxy_header.h"
#include "gateway/smtp/xclient.h"
#include "gateway/upstream/channel.h"
#include "gateway/upstream/source_address.h"

namespace sallyport::upstream {

using config::ClientInfoWay;
using Introduced = Result<Introduction, UpstreamError>;

namespace {

bool is_by_proxy(ClientInfoWay way) { return way == ClientInfoWay::proxy_v1 || way == ClientInfoWay::proxy_v2; }

smtp::ClientAttributes attributes_of(const ClientInfo& client) {
  smtp::ClientAttributes said;
  if (!client.name.empty()) {
    said.name = client.name;
  } else {
    said.name = client.is_nameless ? smtp::Availability::unavailable : smtp::Availability::temporarily_unavailable;
  }
  said.addr = client.address.ip;
  said.port = client.address.port;
  said.extended = client.extended;
  if (!client.helo.empty()) said.helo = client.helo;
  said.dest_addr = client.destination.ip;
  said.dest_port = client.destination.port;
  if (!client.mail_id.empty()) said.ident = client.mail_id;
  return said;
}

// The name for the EHLO that follows XCLIENT: the client's own, as the server's rules judge that, where it is one that
// may stand in a command; else ours.
std::string ehlo_name_for(const ClientInfo& client, const UpstreamGroup& group) {
  const bool is_literal = client.helo == client.address.ip.to_literal();
  return is_literal || is_domain_name(client.helo) ? client.helo : group.ehlo_name;
}

// True if the reply says that the command is none for us; any other refusal is one of the client
// (XCLIENT_README, "XCLIENT server reply codes").
bool refuses_command(const smtp::UpstreamReply& reply) {
  const bool lacks_rights = reply.code == 550 && (reply.enhanced == "5.7.0" || reply.enhanced.empty());
  return lacks_rights || (reply.code >= 500 && reply.code <= 504);
}

std::string refused(std::string_view verb, const smtp::UpstreamReply& reply) {
  return std::string(verb) + " was refused with " + std::to_string(reply.code);
}

Task<Introduced> say_xclient(UpstreamChannel& channel, const UpstreamGroup& group, const Endpoint& server,
                             const ClientInfo& client, async::Scheduler& scheduler, Duration patience) {
  std::string identity = identity_of(group.settings.client_info, &client, server);
  if (channel.speaks_for() == identity) co_return Introduction{};
  const auto commands = smtp::xclient_commands(attributes_of(client), channel.extensions().xclient);
  if (commands.empty()) co_return Introduction{{}, "the server does not offer XCLIENT with an address"};
  for (const std::string& command : commands) {
    auto reply = co_await channel.ask(command, scheduler.now() + patience);
    if (!reply) co_return std::move(reply).error();
    if (reply->is_positive()) {
      // From the first command on that is accepted, the connection is good for this client only.
      channel.speak_for(identity);
      continue;
    }
    if (reply->is_intermediate()) co_return UpstreamError{UpstreamError::Kind::protocol, "354 to XCLIENT", false};
    if (refuses_command(*reply)) co_return Introduction{{}, refused("XCLIENT", *reply)};
    co_return Introduction{std::move(*reply), {}};
  }
  auto greeted = co_await channel.say_hello(group.settings, ehlo_name_for(client, group), scheduler.now() + patience);
  if (!greeted) co_return std::move(greeted).error();
  if (!greeted->is_positive()) co_return Introduction{std::move(*greeted), {}};
  co_return Introduction{};
}

// The commands go in one write where the server can take that.
Task<Introduced> say_xforward(UpstreamChannel& channel, const ClientInfo& client, async::Scheduler& scheduler,
                              Duration patience) {
  auto commands = smtp::xforward_commands(attributes_of(client), channel.extensions().xforward);
  if (commands.empty()) co_return Introduction{{}, "the server does not offer XFORWARD with an address"};
  if (channel.extensions().pipelining) {
    std::string group;
    for (const std::string& command : commands) group += command;
    auto sent = co_await channel.send(group, commands.size(), scheduler.now() + patience);
    if (!sent) co_return std::move(sent).error();
  }
  Introduction introduction;
  for (std::string& command : commands) {
    const Time deadline = scheduler.now() + patience;
    if (!channel.extensions().pipelining) {
      auto sent = co_await channel.send(command, 1, deadline);
      if (!sent) co_return std::move(sent).error();
    }
    auto reply = co_await channel.read_reply(deadline);
    if (!reply) co_return std::move(reply).error();
    if (reply->is_intermediate()) co_return UpstreamError{UpstreamError::Kind::protocol, "354 to XFORWARD", false};
    if (!reply->is_positive()) introduction.untold = refused("XFORWARD", *reply);
  }
  co_return introduction;
}

}  // namespace

std::string opening_octets(ClientInfoWay way, const ClientInfo* client, const std::optional<io::Stream::Ends>& ends) {
  if (!is_by_proxy(way)) return {};
  const auto version = way == ClientInfoWay::proxy_v1 ? smtp::ProxyVersion::v1 : smtp::ProxyVersion::v2;
  if (client) return smtp::proxy_header(version, client->address, client->destination);
  if (version == smtp::ProxyVersion::v1 && ends) return smtp::proxy_header(version, ends->local, ends->peer);
  return smtp::own_proxy_header(version);
}

std::string identity_of(ClientInfoWay way, const ClientInfo* client, const Endpoint& server) {
  if (is_by_proxy(way)) {
    return client ? "PROXY " + client->address.to_string() + " " + client->destination.to_string() : "PROXY";
  }
  if (const auto source = source_address(way, client, server)) return "from " + source->to_string();
  if (way != ClientInfoWay::xclient || !client) return {};
  std::string identity = client->address.to_string() + " " + client->destination.to_string() + " " + client->name;
  identity += client->is_nameless ? " -" : " ?";
  return identity + (client->extended ? " EHLO " : " HELO ") + client->helo;
}

Task<Introduced> introduce(UpstreamChannel& channel, const UpstreamGroup& group, const Endpoint& server,
                           const ClientInfo& client, async::Scheduler& scheduler, Duration patience) {
  switch (group.settings.client_info) {
    case ClientInfoWay::xclient:
      co_return co_await say_xclient(channel, group, server, client, scheduler, patience);
    case ClientInfoWay::xforward:
      co_return co_await say_xforward(channel, client, scheduler, patience);
    case ClientInfoWay::tproxy:
      co_return Introduction{{}, std::string(why_unseen(client.address.ip, server))};
    case ClientInfoWay::headers:
    case ClientInfoWay::proxy_v1:
    case ClientInfoWay::proxy_v2:
      break;
  }
  co_return Introduction{};
}

}  // namespace sallyport::upstream
