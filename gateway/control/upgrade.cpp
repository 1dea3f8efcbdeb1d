#include "gateway/control/upgrade.h"

#include <utility>

#include "gateway/control/answer.h"
#include "gateway/control/protocol.h"

namespace sallyport::control {

namespace {

using Json = nlohmann::ordered_json;

Json to_json(std::string_view line) {
  return line.size() <= max_response_bytes ? Json::parse(line, nullptr, false) : Json();
}

}  // namespace

std::string encode_upgraded(std::string_view version) { return to_line({{"ok", true}, {"upgraded", version}}); }

std::string encode_not_upgraded(const NotUpgraded& reason) {
  return to_line({{"ok", false}, {"error", reason.why}, {"status", reason.status}});
}

Result<Result<std::string, NotUpgraded>> decode_upgrade(std::string_view line) {
  using Outcome = Result<std::string, NotUpgraded>;
  const Json said = to_json(line);
  const auto json = answer(line);
  if (!json) {
    const auto status = said.is_object() ? said.find("status") : said.end();
    if (!said.is_object() || status == said.end() || !status->is_number_integer()) return json.error();
    return Outcome(NotUpgraded{status->get<int>(), json.error().message});
  }
  const auto version = json->find("upgraded");
  if (version == json->end() || !version->is_string()) return Failure{"the response has no \"upgraded\""};
  return Outcome(version->get<std::string>());
}

std::string encode_superseded() {
  return to_line({{"ok", false}, {"error", "another process serves now: ask again"}, {"superseded", true}});
}

bool is_superseded(std::string_view line) {
  const Json said = to_json(line);
  return said.is_object() && said.value("superseded", Json(false)) == Json(true);
}

}  // namespace sallyport::control
