// MailDraft: a mail as the next milter sees it: as it came, with what the milters before have changed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/mail/message.h"
#include "gateway/milter/changes.h"
#include "gateway/smtp/content_lines.h"

namespace sallyport::policies {

class MailDraft {
 public:
  // The message outlives the draft.
  explicit MailDraft(const mail::Message& message);

  // In their order from the top; those without a name (our own Received, lines that are no fields) are not shown.
  const std::vector<milter::HeaderField>& fields() const { return fields_; }
  const mail::Message& body() const { return new_body_ ? *new_body_ : message_; }

  void apply(const milter::Changes& changes, std::shared_ptr<const mail::Message> new_body);

 private:
  const mail::Message& message_;
  std::vector<milter::HeaderField> fields_;
  std::shared_ptr<const mail::Message> new_body_;
};

// NewBody: takes a body in the pieces in which a milter sends it, in any line ends, and makes content of it: only CRLF
// ends a line (threats.md S1-S6 hold for milters, too).
class NewBody final : private smtp::ContentSink {
 public:
  // `most_octets`: how long it may become.
  NewBody(std::uint64_t most_octets, mail::Spool& spool);

  bool has_begun() const { return has_begun_; }
  // False: it is too long, holds what no content may hold, or cannot be stored.
  bool take(std::string_view octets);
  // The body, behind an empty line; null when it cannot be used after all.
  std::shared_ptr<const mail::Message> finish();

 private:
  void append(std::string_view octets) override { message_->append(octets); }
  bool is_fit() const;

  std::shared_ptr<mail::Message> message_;
  smtp::ContentLines lines_;
  bool has_begun_ = false;
};

}  // namespace sallyport::policies
