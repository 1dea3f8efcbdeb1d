#include "gateway/session/content_intake.h"

namespace sallyport::session {

void ContentIntake::append(std::string_view octets) {
  if (header_seen_) {
    message_.append(octets);
    for (auto& observer : observers_) observer->body(octets);
    return;
  }
  std::uint64_t body_before = message_.body_octets();
  message_.append(octets);
  if (!message_.header_is_complete()) return;
  header_completed();
  // The piece that completed the header may already hold the body's beginning.
  std::uint64_t of_body = message_.body_octets() - body_before;
  std::string_view body = octets.substr(octets.size() - static_cast<std::size_t>(of_body));
  if (body.empty()) return;
  for (auto& observer : observers_) observer->body(body);
}

void ContentIntake::header_completed() {
  header_seen_ = true;
  message_.parse_header();
  observers_ = ask_for_observers_();
}

void ContentIntake::end(policies::Facts& facts) {
  if (!header_seen_) header_completed();
  for (auto& observer : observers_) observer->end(facts);
}

}  // namespace sallyport::session
