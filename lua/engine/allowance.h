// MailAllowance: what all rules together may still do for one mail, beside the questions to the DNS, which the mail's
// resolver counts. One stage may follow another; it is the same mail.
#pragma once

namespace sallyport::lua {

struct MailAllowance {
  unsigned log_lines = 20;       // of sp.log
  unsigned http_questions = 20;  // of sp.http
};

}  // namespace sallyport::lua
