#include "gateway/control/lists.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "gateway/control/answer.h"

namespace sallyport::control {

namespace {

using Json = nlohmann::ordered_json;

Json to_json(const ListReport::Family& family) {
  return {{"state", family.state}, {"since", family.since}, {"reason", family.reason}};
}

Json to_json(const ListReport& list) {
  Json json{{"list", list.list}, {"tenants", list.tenants}};
  if (list.names.state.empty()) {
    json["ipv4"] = to_json(list.ipv4);
    json["ipv6"] = to_json(list.ipv6);
  } else {
    json["names"] = to_json(list.names);
  }
  json["self_test"] = {{"mode", list.self_test.mode},
                       {"result", list.self_test.result},
                       {"since", list.self_test.since},
                       {"reason", list.self_test.reason}};
  json["questions"] = list.questions;
  json["hits"] = list.hits;
  json["faults"] = list.faults;
  return json;
}

Json to_json(const ListReports& lists) {
  Json array = Json::array();
  for (const ListReport& list : lists) array.push_back(to_json(list));
  return array;
}

// Each throws when the value is not there or of another type.
ListReport::Family family_of(const Json& json) {
  return {json.at("state").get<std::string>(), json.at("since").get<std::int64_t>(),
          json.at("reason").get<std::string>()};
}

ListReport list_of(const Json& json) {
  ListReport list;
  list.list = json.at("list").get<std::string>();
  list.tenants = json.at("tenants").get<std::vector<std::string>>();
  if (json.contains("names")) {
    list.names = family_of(json.at("names"));
  } else {
    list.ipv4 = family_of(json.at("ipv4"));
    list.ipv6 = family_of(json.at("ipv6"));
  }
  const Json& test = json.at("self_test");
  list.self_test = {test.at("mode").get<std::string>(), test.at("result").get<std::string>(),
                    test.at("since").get<std::int64_t>(), test.at("reason").get<std::string>()};
  list.questions = json.at("questions").get<std::uint64_t>();
  list.hits = json.at("hits").get<std::uint64_t>();
  list.faults = json.at("faults").get<std::uint64_t>();
  return list;
}

}  // namespace

std::string encode_lists(const ListReports& lists) { return to_line({{"ok", true}, {"lists", to_json(lists)}}); }

std::string lists_json(const ListReports& lists) { return to_line(to_json(lists)); }

Result<ListReports> decode_lists(std::string_view line) {
  const auto json = answer(line);
  if (!json) return json.error();
  const Failure unusable{"the response has no usable \"lists\""};
  const auto given = json->find("lists");
  if (given == json->end() || !given->is_array()) return unusable;
  ListReports lists;
  try {
    for (const Json& list : *given) lists.push_back(list_of(list));
  } catch (const Json::exception&) {
    return unusable;
  }
  return lists;
}

}  // namespace sallyport::control
