// The stages of a mail, as policies and Lua rules name them (contract.md, section 8).
#pragma once

#include <cstdint>
#include <string_view>

namespace sallyport::policies {

enum class Stage : std::uint8_t { connect, helo, mail, rcpt, headers, message, done };

std::string_view name(Stage stage);

// How a check takes part (contract.md, section 3): shadow records the verdict and changes nothing.
enum class Mode : std::uint8_t { enforce, shadow, off };

std::string_view name(Mode mode);

}  // namespace sallyport::policies
