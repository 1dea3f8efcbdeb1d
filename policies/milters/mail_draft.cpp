#include "policies/milters/mail_draft.h"

#include <utility>

namespace sallyport::policies {

namespace {

constexpr std::string_view empty_line = "\r\n";
constexpr std::uint64_t in_memory = std::uint64_t{256} * 1024;

}  // namespace

// The first stands for our own Received, above which a milter may insert (the index 0).
MailDraft::MailDraft(const mail::Message& message) : message_(message), fields_(1) {
  fields_.reserve(message.header().fields().size() + 1);
  for (const mail::HeaderField& field : message.header().fields())
    fields_.push_back({std::string(field.name), std::string(field.value)});
}

void MailDraft::apply(const milter::Changes& changes, std::shared_ptr<const mail::Message> new_body) {
  milter::apply_changes(changes.header, fields_);
  if (new_body) new_body_ = std::move(new_body);
}

NewBody::NewBody(std::uint64_t most_octets, mail::Spool& spool)
    : message_(std::make_shared<mail::Message>(mail::MessageLimits{most_octets, in_memory}, spool)) {
  message_->append(empty_line);
}

bool NewBody::is_fit() const {
  const smtp::ContentFaults& faults = lines_.faults();
  return !faults.nul && !faults.line_too_long && !message_->is_over_limit() && !message_->has_failed();
}

bool NewBody::take(std::string_view octets) {
  has_begun_ = true;
  lines_.append(octets, *this);
  return is_fit();
}

std::shared_ptr<const mail::Message> NewBody::finish() {
  if (message_->body_octets() > 0) lines_.finish(*this);
  return is_fit() ? message_ : nullptr;
}

}  // namespace sallyport::policies
