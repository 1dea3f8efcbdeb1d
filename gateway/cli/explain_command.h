// `sallyport explain MESSAGE`: a dry run of one stored message. What every check finds in it, the verdict and the
// reply. No mail server is asked and no rate counted; the DNS is asked, milters
// only on wish. Exit status 0: it would be relayed or tagged,
// 1: not, 65: it is no message, 66: there is no such file.
#pragma once

#include <string>

#include "gateway/cli/command.h"
#include "gateway/explain/explanation.h"

namespace sallyport::cli {

struct ExplainOptions {
  std::string config_file = default_config_file;
  std::string message;  // a file; "-": standard input
  explain::GivenEnvelope given;
  bool milters = false;  // ask them too
  bool json = false;
};

int explain_command(const ExplainOptions& options, const Console& console);
extern const Command explain_entry;

}  // namespace sallyport::cli
