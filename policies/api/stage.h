// The stages of a mail, as policies and Lua rules name them (contract.md, section 8).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "gateway/base/fields.h"

namespace sallyport {

namespace policies {

enum class Stage : std::uint8_t { connect, helo, mail, rcpt, headers, message, done };

// How a check takes part (contract.md, section 3). `shadow`: its verdicts are recorded and change nothing.
enum class Mode : std::uint8_t { enforce, shadow, off };

}  // namespace policies

template <>
inline constexpr auto words_of<policies::Stage> =
    std::to_array<std::string_view>({"connect", "helo", "mail", "rcpt", "headers", "message", "done"});
template <>
inline constexpr auto words_of<policies::Mode> = std::to_array<std::string_view>({"enforce", "shadow", "off"});

}  // namespace sallyport
