// The answer of the control socket to "upgrade".
//
//   {"command":"upgrade"}  ->  {"ok":true,"upgraded":"0.1.0"}: a process of the program as it lies on the disk serves
//   now
//                          or  {"ok":false,"error":"...","status":78}: it has not become ready, and nothing has changed
//
// The process that answers is the one that served before; what is asked after it goes to the new one.
#pragma once

#include <string>
#include <string_view>

#include "gateway/base/result.h"

namespace sallyport::control {

// Why the new process has not become ready; what the command ends with (gateway/cli/exit_code.h).
struct NotUpgraded {
  int status = 0;
  std::string why;
  friend bool operator==(const NotUpgraded&, const NotUpgraded&) = default;
};

std::string encode_upgraded(std::string_view version);
std::string encode_not_upgraded(const NotUpgraded& reason);
// The version that serves now, or why it does not. The failure: what the other side says is neither; it may be of a
// version that knows no upgrade.
Result<Result<std::string, NotUpgraded>> decode_upgrade(std::string_view line);

// To a "reload" that has waited for an upgrade: the new process has read the files, and may be asked again.
std::string encode_superseded();
bool is_superseded(std::string_view line);

}  // namespace sallyport::control
