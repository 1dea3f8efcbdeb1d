#include "gateway/control/protocol.h"

#include <optional>
#include <utility>

#include "gateway/control/answer.h"

namespace sallyport::control {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const Stats& stats) {
  Json values = Json::object();
  for (const auto& [name, value] : stats) values[name] = value;
  return values;
}

// Parses a JSON object; nothing for anything else. The parser does not recurse, so nesting costs only memory, which the
// line's length bounds.
std::optional<Json> to_object(std::string_view line, std::size_t most) {
  if (line.size() > most) return std::nullopt;
  Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  return json;
}

// An array of texts; nothing when there is none of that name.
std::optional<std::vector<std::string>> texts_in(const Json& object, const char* name) {
  const auto list = object.find(name);
  if (list == object.end() || !list->is_array()) return std::nullopt;
  std::vector<std::string> texts;
  for (const Json& text : *list) {
    if (!text.is_string()) return std::nullopt;
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

}  // namespace

std::string to_line(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Result<Json> answer(std::string_view line) {
  auto json = to_object(line, max_response_bytes);
  if (!json) return Failure{"the response is not a JSON object"};
  const auto ok = json->find("ok");
  if (ok == json->end() || !ok->is_boolean()) return Failure{"the response does not say whether it is one"};
  if (ok->get<bool>()) return std::move(*json);
  const auto error = json->find("error");
  return Failure{error != json->end() && error->is_string() ? error->get<std::string>() : "refused without a reason"};
}

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
  const auto json = answer(line);
  if (!json) return json.error();
  const auto values = json->find("stats");
  if (values == json->end() || !values->is_object()) return Failure{"the response has no \"stats\""};
  Stats stats;
  for (const auto& [name, value] : values->items()) {
    if (!value.is_number_integer()) return Failure{"the response has a value that is not an integer"};
    stats.emplace_back(name, value.get<std::int64_t>());
  }
  return stats;
}

std::string encode_done() { return to_line({{"ok", true}}); }

Result<Done> decode_done(std::string_view line) {
  const auto json = answer(line);
  if (!json) return json.error();
  return Done{};
}

std::string encode_values(std::string_view values) { return to_line({{"ok", true}, {"values", values}}); }

Result<std::string> decode_values(std::string_view line) {
  const auto json = answer(line);
  if (!json) return json.error();
  const auto values = json->find("values");
  if (values == json->end() || !values->is_string()) return Failure{"the response has no \"values\""};
  return values->get<std::string>();
}

std::string encode_reloaded(const Reloaded& reloaded) {
  Json json{{"config", reloaded.config}, {"changed", reloaded.changed}, {"needs_restart", reloaded.needs_restart}};
  if (!reloaded.incomplete.empty()) json["incomplete"] = reloaded.incomplete;
  return to_line({{"ok", true}, {"reloaded", std::move(json)}});
}

std::string encode_reload_errors(const ReloadErrors& errors) {
  return to_line({{"ok", false}, {"error", "the configuration was not taken"}, {"errors", errors}});
}

Result<Result<Reloaded, ReloadErrors>> decode_reloaded(std::string_view line) {
  const auto response = to_object(line, max_response_bytes);
  if (response) {
    if (auto errors = texts_in(*response, "errors"); errors && !errors->empty())
      return Result<Reloaded, ReloadErrors>(std::move(*errors));
  }
  const auto json = answer(line);
  if (!json) return json.error();
  const Failure unusable{"the response has no \"reloaded\""};
  const auto given = json->find("reloaded");
  if (given == json->end() || !given->is_object()) return unusable;
  Reloaded reloaded;
  for (auto& [name, text] : {std::pair("config", &reloaded.config), std::pair("changed", &reloaded.changed)}) {
    const auto value = given->find(name);
    if (value == given->end() || !value->is_string()) return unusable;
    *text = value->get<std::string>();
  }
  auto needs_restart = texts_in(*given, "needs_restart");
  if (!needs_restart) return unusable;
  reloaded.needs_restart = std::move(*needs_restart);
  const auto incomplete = given->find("incomplete");
  if (incomplete != given->end() && incomplete->is_string()) reloaded.incomplete = incomplete->get<std::string>();
  return Result<Reloaded, ReloadErrors>(std::move(reloaded));
}

}  // namespace sallyport::control
