#include "policies/milters/mail_draft.h"

#include <utility>

namespace sallyport::policies {

namespace {

constexpr std::string_view empty_line = "\r\n";
constexpr std::uint64_t in_memory = std::uint64_t{256} * 1024;

}  // namespace

std::size_t MailDraft::field_count() const {
  return fields_.empty() ? message_.header().fields().size() : fields_.size();
}

MailDraft::Field MailDraft::field(std::size_t index) const {
  if (fields_.empty()) {
    const mail::HeaderField& field = message_.header().fields()[index];
    return {field.name, field.value};
  }
  return {fields_[index].name, fields_[index].value};
}

void MailDraft::apply(const milter::Changes& changes, std::shared_ptr<const mail::Message> new_body) {
  if (!changes.header.empty() && fields_.empty()) {
    fields_.reserve(message_.header().fields().size() + 1);
    // The first stands for our own Received, above which a milter may insert (the index 0).
    fields_.emplace_back();
    for (const mail::HeaderField& field : message_.header().fields())
      fields_.push_back({std::string(field.name), std::string(field.value)});
  }
  if (!changes.header.empty()) milter::apply_changes(changes.header, fields_);
  if (new_body) new_body_ = std::move(new_body);
}

bool NewBody::is_fit() const {
  const smtp::ContentFaults& faults = lines_.faults();
  return !faults.nul && !faults.line_too_long && !message_->is_over_limit() && !message_->has_failed();
}

bool NewBody::take(std::string_view octets) {
  if (!message_) {
    message_ = std::make_shared<mail::Message>(mail::MessageLimits{most_octets_, in_memory}, spool_);
    message_->append(empty_line);
  }
  lines_.append(octets, *this);
  return is_fit();
}

std::shared_ptr<const mail::Message> NewBody::finish() {
  if (message_->body_octets() > 0) lines_.finish(*this);
  return is_fit() ? message_ : nullptr;
}

}  // namespace sallyport::policies
