// Envelope: what an upstream has accepted of a mail: the commands, as they were sent. From it the transaction can be
// opened again on another connection, as long as nothing of the content has been sent (threats.md U17).
//
// Recipients that were refused are not in it: the client was told so, and none of them may get the mail after all.
#pragma once

#include <string>
#include <string_view>

#include "gateway/async/scheduler.h"
#include "gateway/base/mail_address.h"
#include "gateway/smtp/extensions.h"
#include "gateway/smtp/parameters.h"
#include "gateway/upstream/channel.h"

namespace sallyport::upstream {

class Envelope {
 public:
  bool is_empty() const { return recipients_.empty(); }
  // The extensions of the server that has accepted it.
  const smtp::Extensions& extensions() const { return extensions_; }

  // What is being said, as whole commands, to a server with these extensions. While no recipient has been accepted,
  // MAIL may be said again, in other words.
  void begin(std::string mail, const smtp::Extensions& to);
  const std::string& mail() const { return mail_; }
  void accepted(std::string_view recipient) { recipients_ += recipient; }
  // True if a server with these extensions understands the commands, and takes the content that the first one would
  // have taken.
  bool suits(const smtp::Extensions& other) const;

  // Says the commands again, on a connection without a transaction. Each must be accepted; else the error is `changed`,
  // and a transaction may be open. `patience` is that for the reply to MAIL.
  Task<Result<Done, UpstreamError>> say_again(async::Scheduler& scheduler, UpstreamChannel& channel,
                                              Duration patience) const;

 private:
  std::string mail_;
  std::string recipients_;  // one RCPT after the other
  smtp::Extensions extensions_;
};

// The commands, with those parameters that a server with the extensions `can` takes.
std::string mail_command(const MailAddress& from, const smtp::MailParameters& parameters, const smtp::Extensions& can);
std::string rcpt_command(const MailAddress& to, const smtp::RcptParameters& parameters, const smtp::Extensions& can);

}  // namespace sallyport::upstream
