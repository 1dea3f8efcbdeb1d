#include "gateway/control/protocol.h"

#include <nlohmann/json.hpp>
#include <optional>

namespace sallyport::control {
namespace {

using Json = nlohmann::ordered_json;

// Text that is not UTF-8 is written with replacement characters rather than not at all.
std::string to_line(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json to_json(const Stats& stats) {
  Json values = Json::object();
  for (const auto& [name, value] : stats) values[name] = value;
  return values;
}

// A JSON object, or nothing. The parser keeps its own stack, so depth costs memory only, and that is bounded by the
// line.
std::optional<Json> to_object(std::string_view line, std::size_t most) {
  if (line.size() > most) return std::nullopt;
  Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  return json;
}

}  // namespace

std::string socket_path(std::string_view state_path) {
  std::string path(state_path);
  if (path.empty() || path.back() != '/') path += '/';
  return path.append(socket_name);
}

std::string encode(const Request& request) { return to_line({{"command", request.command}}); }

Result<Request> decode_request(std::string_view line) {
  const auto json = to_object(line, max_request_bytes);
  if (!json) return Failure{"a request is one line with a JSON object"};
  const auto command = json->find("command");
  if (command == json->end() || !command->is_string()) return Failure{"a request has a \"command\""};
  return Request{command->get<std::string>()};
}

std::string encode_stats(const Stats& stats) { return to_line({{"ok", true}, {"stats", to_json(stats)}}); }

std::string stats_json(const Stats& stats) { return to_line(to_json(stats)); }

std::string encode_error(std::string_view message) { return to_line({{"ok", false}, {"error", message}}); }

Result<Stats> decode_stats(std::string_view line) {
  const auto json = to_object(line, max_response_bytes);
  if (!json) return Failure{"the response is not a JSON object"};
  const auto ok = json->find("ok");
  if (ok == json->end() || !ok->is_boolean()) return Failure{"the response does not say whether it is one"};
  if (!ok->get<bool>()) {
    const auto error = json->find("error");
    return Failure{error != json->end() && error->is_string() ? error->get<std::string>() : "refused without a reason"};
  }
  const auto values = json->find("stats");
  if (values == json->end() || !values->is_object()) return Failure{"the response has no \"stats\""};
  Stats stats;
  for (const auto& [name, value] : values->items()) {
    if (!value.is_number_integer()) return Failure{"the response has a value that is not an integer"};
    stats.emplace_back(name, value.get<std::int64_t>());
  }
  return stats;
}

}  // namespace sallyport::control
