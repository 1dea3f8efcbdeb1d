#include "gateway/control/upstreams.h"

#include <nlohmann/json.hpp>

#include "gateway/control/answer.h"

namespace sallyport::control {

namespace {

using Json = nlohmann::ordered_json;

Json to_json(const ServerReport& server) {
  return {{"upstream", server.upstream},
          {"name", server.name},
          {"address", server.address},
          {"state", server.state},
          {"since", server.since},
          {"reason", server.reason},
          {"connections", server.connections},
          {"extensions", server.extensions}};
}

Json to_json(const ServerReports& servers) {
  Json array = Json::array();
  for (const ServerReport& server : servers) array.push_back(to_json(server));
  return array;
}

// Throws when a value is not there or of another type.
ServerReport server_of(const Json& json) {
  ServerReport server;
  server.upstream = json.at("upstream").get<std::string>();
  server.name = json.at("name").get<std::string>();
  server.address = json.at("address").get<std::string>();
  server.state = json.at("state").get<std::string>();
  server.since = json.at("since").get<std::int64_t>();
  server.reason = json.at("reason").get<std::string>();
  server.connections = json.at("connections").get<std::uint64_t>();
  server.extensions = json.at("extensions").get<std::vector<std::string>>();
  return server;
}

}  // namespace

std::string encode_upstreams(const ServerReports& servers) {
  return to_line({{"ok", true}, {"upstreams", to_json(servers)}});
}

std::string upstreams_json(const ServerReports& servers) { return to_line(to_json(servers)); }

Result<ServerReports> decode_upstreams(std::string_view line) {
  const auto json = answer(line);
  if (!json) return json.error();
  const Failure unusable{"the response has no usable \"upstreams\""};
  const auto given = json->find("upstreams");
  if (given == json->end() || !given->is_array()) return unusable;
  ServerReports servers;
  try {
    for (const Json& server : *given) servers.push_back(server_of(server));
  } catch (const Json::exception&) {
    return unusable;
  }
  return servers;
}

}  // namespace sallyport::control
