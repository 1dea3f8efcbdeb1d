#include "gateway/session/content_intake.h"

namespace sallyport::session {

void ContentIntake::append(std::string_view octets) {
  if (header_seen_) {
    message_.append(octets);
    checks_.body(octets);
    return;
  }
  const std::uint64_t body_before = message_.body_octets();
  message_.append(octets);
  if (!message_.header_is_complete()) return;
  header_completed();
  // The piece that completed the header may already hold the body's beginning.
  const std::uint64_t of_body = message_.body_octets() - body_before;
  const std::string_view body = octets.substr(octets.size() - static_cast<std::size_t>(of_body));
  if (!body.empty()) checks_.body(body);
}

void ContentIntake::header_completed() {
  header_seen_ = true;
  message_.parse_header();
  checks_.header_completed(mail_);
}

void ContentIntake::end() {
  if (!header_seen_) header_completed();
  checks_.body_ended();
}

}  // namespace sallyport::session
