// TrialMail: a mail that the author of a rule tries it with, made by a table or from a file.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policies/api/presumed_tls.h"  // what TLS facts are, unless a test says otherwise
#include "policies/api/transaction.h"

namespace sallyport::lua {

struct TrialMail {
  policies::Transaction mail;                             // without the message
  std::vector<MailAddress> rcpts;                         // all of them
  std::string content;                                    // as a client would send it
  std::vector<std::pair<std::string, std::string>> auth;  // "spf" = "pass"
  double score = 0;                                       // that earlier stages have given
  std::string outcome = "relay";                          // what becomes of it, for stage done
};

// An ordinary mail of ann@example.org to bob@example.com, without content.
TrialMail ordinary_mail();

}  // namespace sallyport::lua
