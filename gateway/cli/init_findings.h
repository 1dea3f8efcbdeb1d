// What `init` has found out about a configuration before anybody relies on it: one sentence each, and the cure.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace sallyport::cli {

struct InitFinding {
  enum class Kind {
    ok,
    notice,   // works, and may not be what was meant
    problem,  // does not work now, and the configuration is right all the same: a server that is not there yet
    error,    // the gateway could not start with it
  };
  Kind kind = Kind::ok;
  std::string topic;  // "port", "certificate", "upstream", "dns", "mx"
  std::string text;
  std::string cure = {};  // empty for `ok`
};

using InitFindings = std::vector<InitFinding>;

}  // namespace sallyport::cli
