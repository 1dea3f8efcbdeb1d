// What a value that could not be read was probably meant to be: "50MB" is "50MiB", 300 a duration of "300s".
#pragma once

#include <string>
#include <string_view>

namespace sallyport::settings {

// `type` is a ValueType's name ("size", "duration", "rate"), `text` the value as it was written. Gives a text that
// the type can read; empty when there is none that is near enough.
std::string likely_value(std::string_view type, std::string_view text);

}  // namespace sallyport::settings
