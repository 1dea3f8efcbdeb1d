// The asking side of the control socket, for the command line. It blocks; the daemon's side lives on its loop.
#pragma once

#include <string>
#include <string_view>

#include "gateway/base/result.h"
#include "gateway/base/units.h"

namespace sallyport::control {

// Sends one request line and gives the response line, both without their LF. `timeout` is for all of it together. A
// failure says in words what did not work: nobody listens, no permission, no answer in time, too long an answer.
Result<std::string> ask(const std::string& path, std::string_view request, Duration timeout);

}  // namespace sallyport::control
