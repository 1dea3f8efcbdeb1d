// What the encodings of the control socket's protocol share. Only for this folder.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "gateway/base/result.h"

namespace sallyport::control {

// Invalid UTF-8 becomes replacement characters instead of an exception.
std::string to_line(const nlohmann::ordered_json& json);

// What the other side says, an object with "ok": true; the failure is the error it sends, or what is wrong with the
// line.
Result<nlohmann::ordered_json> answer(std::string_view line);

}  // namespace sallyport::control
