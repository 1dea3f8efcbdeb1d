// The client side of the control socket, for the command line. It blocks the calling thread.
#pragma once

#include <string>
#include <string_view>

#include "gateway/base/result.h"
#include "gateway/base/units.h"

namespace sallyport::control {

// Sends one request line and gives the response line, both without LF. `timeout` covers all steps together. The
// failure's text says what went wrong: nobody listens, no permission, no answer in time, or an answer that is too long.
Result<std::string> ask(const std::string& path, std::string_view request, Duration timeout);

}  // namespace sallyport::control
