// Lines in the system's log, as libmilter's are: the filter's name, and what has happened.
#pragma once

#include <string>
#include <string_view>

namespace sallyport::milter_library {

enum class Gravity { error, warning, note };

// Never throws, from any thread.
void log_line(Gravity gravity, const std::string& filter, std::string_view what) noexcept;

}  // namespace sallyport::milter_library
