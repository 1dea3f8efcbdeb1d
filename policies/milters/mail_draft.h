// MailDraft: a mail as the next milter sees it: as it came, with what the milters before have changed.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/mail/message.h"
#include "gateway/milter/changes.h"
#include "gateway/smtp/content_lines.h"

namespace sallyport::policies {

class MailDraft {
 public:
  struct Field {
    std::string_view name;
    std::string_view value;  // as milter::HeaderField has it
  };

  // The message outlives the draft.
  explicit MailDraft(const mail::Message& message) : message_(message) {}

  // The fields in their order from the top; those without a name (our own Received, lines that are no fields) are not
  // shown. Valid until the next apply().
  std::size_t field_count() const;
  Field field(std::size_t index) const;
  const mail::Message& body() const { return new_body_ ? *new_body_ : message_; }

  void apply(const milter::Changes& changes, std::shared_ptr<const mail::Message> new_body);

 private:
  const mail::Message& message_;
  std::vector<milter::HeaderField> fields_;  // once a milter has changed some
  std::shared_ptr<const mail::Message> new_body_;
};

// NewBody: takes a body in the pieces in which a milter sends it, in any line ends, and makes content of it: only CRLF
// ends a line (threats.md S1-S6 hold for milters, too).
class NewBody final : private smtp::ContentSink {
 public:
  // `most_octets`: how long it may become. The spool outlives the object and what finish() gives.
  NewBody(std::uint64_t most_octets, mail::Spool& spool) : most_octets_(most_octets), spool_(spool) {}

  bool has_begun() const { return message_ != nullptr; }
  // False: it is too long, holds what no content may hold, or cannot be stored.
  bool take(std::string_view octets);
  // The body, behind an empty line; null when it cannot be used after all.
  std::shared_ptr<const mail::Message> finish();

 private:
  void append(std::string_view octets) override { message_->append(octets); }
  bool is_fit() const;

  const std::uint64_t most_octets_;
  mail::Spool& spool_;
  std::shared_ptr<mail::Message> message_;  // since the first piece
  smtp::ContentLines lines_;
};

}  // namespace sallyport::policies
