#include "tests/unit/session/dialogue_settings.h"

#include <cstdint>
#include <functional>
#include <map>
#include <stdexcept>

#include "gateway/base/text.h"
#include "policies/dnsbl/settings.h"
#include "tests/unit/session/dialogue_client.h"

namespace sallyport::session {

namespace {

using Setter = std::function<void(World&, const std::string&)>;

std::uint64_t to_number(const std::string& word) {
  auto number = text::to_number(word);
  if (!number) throw std::runtime_error("not a number: " + word);
  return *number;
}

Setter limit(std::uint64_t config::LimitSettings::*field) {
  return [field](World& world, const std::string& value) { world.settings.limits.*field = to_number(value); };
}

void set_bare_newline(World& world, const std::string& value) {
  if (value != "normalize" && value != "reject") throw std::runtime_error("bare_newline is normalize or reject");
  world.listener.settings.bare_newline =
      value == "reject" ? config::BareNewlinePolicy::reject : config::BareNewlinePolicy::normalize;
}

void set_tls(World& world, const std::string& value) {
  world.listener.tls = common_server_context();
  world.listener.settings.require_tls = value == "required";
}

void set_server(World& world, const std::string& value) {
  if (value == "refused") world.dialer.fail(first_server, io::Error::refused);
  if (value == "unreachable") world.dialer.fail(first_server, io::Error::unreachable);
  if (value == "silent") world.dialer.fail(first_server, io::Error::timed_out);
}

void set_pressure(World& world, const std::string& value) {
  world.pressure.all = value == "full" ? io::Pressure::Level::full : io::Pressure::Level::high;
  world.pressure.inside = world.pressure.all;
}

void add_tenant(World& world, const std::string& name_and_domain) {
  std::size_t space = name_and_domain.find(' ');
  std::string name = name_and_domain.substr(0, space);
  world.settings.tenants[name] = {name, {name_and_domain.substr(space + 1)}, "default", {}};
}

const std::map<std::string, Setter, std::less<>>& setters() {
  using Limits = config::LimitSettings;
  static const std::map<std::string, Setter, std::less<>> table{
      {"bare_newline", set_bare_newline},
      {"tls", set_tls},  // offered or required
      {"proxy_protocol_from",
       [](World& world, const std::string& value) {
         world.listener.settings.proxy_protocol_from = {IpNetwork::parse(value).value()};
       }},
      {"xclient_from",
       [](World& world, const std::string& value) {
         world.listener.settings.xclient_from = {IpNetwork::parse(value).value()};
       }},
      {"places",
       [](World& world, const std::string& value) { world.slots.places = static_cast<int>(to_number(value)); }},
      {"server", set_server},  // refused, unreachable or silent
      {"tenant", add_tenant},  // NAME DOMAIN
      {"dnsbl",
       [](World& world, const std::string& zone) {
         world.settings.policy.edit(policies::dnsbl_section).zones[zone].score = 8.0;
       }},
      {"data_total",  // in seconds
       [](World& world, const std::string& value) {
         world.settings.timeouts.data_total = std::chrono::seconds(to_number(value));
       }},
      {"data_rate", limit(&Limits::data_rate)},
      {"data_rate_after",  // in seconds
       [](World& world, const std::string& value) {
         world.settings.timeouts.data_rate_after = std::chrono::seconds(to_number(value));
       }},
      {"pressure", set_pressure},  // high or full, for all from the beginning
      {"message_size", limit(&Limits::message_size)},
      {"recipients", limit(&Limits::recipients)},
      {"errors_per_session", limit(&Limits::errors_per_session)},
      {"junk_commands", limit(&Limits::junk_commands)},
      {"unknown_recipients", limit(&Limits::unknown_recipients)},
      {"unknown_recipients_close", limit(&Limits::unknown_recipients_close)},
      {"bdat_chunks", limit(&Limits::bdat_chunks)},
      {"hops", limit(&Limits::hops)},
      {"command_line", limit(&Limits::command_line)},
      {"text_line", limit(&Limits::text_line)},
      {"allow_routed_local", [](World& world, const std::string&) { world.settings.limits.allow_routed_local = true; }},
  };
  return table;
}

}  // namespace

bool configure(World& world, const std::string& key, const std::string& value) {
  auto setter = setters().find(key);
  if (setter == setters().end()) return false;
  setter->second(world, value);
  return true;
}

}  // namespace sallyport::session
