// RuleServices: what rules reach beyond the mail. The composition root puts it where policies keep what outlives a
// configuration (policies::Learned), one for each worker. Null: nothing is remembered, no web server is asked, lists
// are read for one rule set alone, as in a dry run.
#pragma once

#include "gateway/io/http_client.h"
#include "gateway/io/list_files.h"
#include "gateway/io/mail_memory.h"

namespace sallyport::lua {

struct RuleServices {
  io::MailMemory* memory = nullptr;
  io::HttpClient* http = nullptr;
  io::ListFiles* lists = nullptr;
};

}  // namespace sallyport::lua
