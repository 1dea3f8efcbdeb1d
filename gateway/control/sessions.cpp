#include "gateway/control/sessions.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "gateway/control/answer.h"
#include "gateway/control/protocol.h"

namespace sallyport::control {

namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json to_json(const SessionReport& session) {
  return {{"id", session.id},
          {"state", session.state},
          {"verb", session.verb},
          {"protocol", session.protocol},
          {"peer", session.peer},
          {"client", session.client},
          {"listener", session.listener},
          {"tenant", session.tenant},
          {"tls", session.tls},
          {"helo", session.helo},
          {"sender", or_null(session.sender)},
          {"recipients", session.recipients},
          {"held", session.held},
          {"worker", session.worker},
          {"age_ms", session.age},
          {"in_state_ms", session.in_state},
          {"idle_ms", or_null(session.idle)}};
}

Json to_json(const SessionReports& reports) {
  Json sessions = Json::array();
  for (const SessionReport& session : reports.sessions) sessions.push_back(to_json(session));
  return {{"open", reports.open}, {"silent_workers", reports.silent_workers}, {"sessions", std::move(sessions)}};
}

template <class T>
std::optional<T> unless_null(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional<T>(json.get<T>());
}

// Throws when a value is not there or of another type.
SessionReport session_of(const Json& json) {
  SessionReport session;
  for (auto& [name, text] :
       {std::pair("id", &session.id), std::pair("state", &session.state), std::pair("verb", &session.verb),
        std::pair("protocol", &session.protocol), std::pair("peer", &session.peer),
        std::pair("client", &session.client), std::pair("listener", &session.listener),
        std::pair("tenant", &session.tenant), std::pair("helo", &session.helo)})
    *text = json.at(name).get<std::string>();
  session.tls = json.at("tls").get<bool>();
  session.sender = unless_null<std::string>(json.at("sender"));
  session.recipients = json.at("recipients").get<std::uint64_t>();
  session.held = json.at("held").get<std::uint64_t>();
  session.worker = json.at("worker").get<std::uint64_t>();
  session.age = json.at("age_ms").get<std::int64_t>();
  session.in_state = json.at("in_state_ms").get<std::int64_t>();
  session.idle = unless_null<std::int64_t>(json.at("idle_ms"));
  return session;
}

}  // namespace

std::string encode_sessions_request(const SessionsRequest& request) {
  return to_line({{"command", "sessions"}, {"sort", word(request.order)}, {"limit", request.limit}});
}

Result<SessionsRequest> decode_sessions_request(std::string_view line) {
  SessionsRequest request;
  const Failure not_one{"\"sessions\" takes \"sort\" (age, idle, held or state) and \"limit\" (1 to 10000)"};
  if (line.size() > max_request_bytes) return not_one;
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return not_one;
  if (const auto sort = json.find("sort"); sort != json.end()) {
    const auto order = sort->is_string() ? from_word<SessionOrder>(sort->get<std::string>()) : std::nullopt;
    if (!order) return not_one;
    request.order = *order;
  }
  if (const auto limit = json.find("limit"); limit != json.end()) {
    if (!limit->is_number_unsigned()) return not_one;
    const auto number = limit->get<std::uint64_t>();
    if (number == 0 || number > SessionsRequest::most_sessions) return not_one;
    request.limit = static_cast<std::size_t>(number);
  }
  return request;
}

std::string encode_sessions(const SessionReports& reports) {
  Json json{{"ok", true}};
  json.update(to_json(reports));
  return to_line(json);
}

std::string sessions_json(const SessionReports& reports) { return to_line(to_json(reports)); }

Result<SessionReports> decode_sessions(std::string_view line) {
  const auto json = answer(line);
  if (!json) return json.error();
  const Failure unusable{"the response has no usable \"sessions\""};
  SessionReports reports;
  try {
    reports.open = json->at("open").get<std::uint64_t>();
    reports.silent_workers = json->at("silent_workers").get<std::uint64_t>();
    const Json& sessions = json->at("sessions");
    if (!sessions.is_array()) return unusable;
    for (const Json& session : sessions) reports.sessions.push_back(session_of(session));
  } catch (const Json::exception&) {
    return unusable;
  }
  return reports;
}

}  // namespace sallyport::control
