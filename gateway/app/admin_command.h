// `sallyport admin`: the process that serves admin.listen (gateway/admin). It knows of the gateway what that tells over
// the control socket; its end never touches mail.
#pragma once

#include <string>

#include "gateway/cli/command.h"

namespace sallyport::app {

struct AdminOptions {
  std::string config_file = cli::default_config_file;
  bool ends_with_parent = false;
};

extern const cli::Command admin_entry;

}  // namespace sallyport::app
