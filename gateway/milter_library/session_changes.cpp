// What a filter may do to a message, in a Session: in xxfi_eom only, and only what was agreed on.
#include <algorithm>

#include "gateway/milter/packet.h"
#include "gateway/milter_library/session.h"

namespace sallyport::milter_library {

namespace {

using milter::PacketWriter;
namespace action = milter::action;

// Changes are sent together with the verdict; so many octets of them do not wait for it.
constexpr std::size_t most_waiting_octets = 64 * 1024;

char letter(milter::AnswerLetter answer) { return static_cast<char>(answer); }

bool is_empty(const char* text) { return text == nullptr || *text == '\0'; }

}  // namespace

bool Session::may_change(std::uint32_t action) const {
  return host_ != nullptr && is_at_end_of_message_ && !is_lost_ && (actions_ & action) != 0;
}

bool Session::sent_if_many() {
  if (host_->answers.size() >= most_waiting_octets && !host_->send()) is_lost_ = true;
  return !is_lost_;
}

bool Session::add_header(const char* name, const char* value) {
  if (!may_change(action::add_headers) || is_empty(name) || value == nullptr) return false;
  PacketWriter(host_->answers, letter(milter::AnswerLetter::add_header)).text(name).text(value);
  return sent_if_many();
}

bool Session::change_header(const char* name, int index, const char* value) {
  if (!may_change(action::change_headers) || is_empty(name) || index < 0) return false;
  PacketWriter(host_->answers, letter(milter::AnswerLetter::change_header))
      .u32(static_cast<std::uint32_t>(index))
      .text(name)
      .text(value == nullptr ? "" : value);
  return sent_if_many();
}

bool Session::insert_header(int index, const char* name, const char* value) {
  if (!may_change(action::add_headers) || is_empty(name) || value == nullptr || index < 0) return false;
  PacketWriter(host_->answers, letter(milter::AnswerLetter::insert_header))
      .u32(static_cast<std::uint32_t>(index))
      .text(name)
      .text(value);
  return sent_if_many();
}

bool Session::change_sender(const char* path, const char* parameters) {
  if (!may_change(action::change_sender) || is_empty(path)) return false;
  {
    PacketWriter packet(host_->answers, letter(milter::AnswerLetter::change_sender));
    packet.text(path);
    if (parameters != nullptr) packet.text(parameters);
  }
  return sent_if_many();
}

bool Session::add_rcpt(const char* path) {
  if (!may_change(action::add_rcpt) || is_empty(path)) return false;
  PacketWriter(host_->answers, letter(milter::AnswerLetter::add_rcpt)).text(path);
  return sent_if_many();
}

bool Session::add_rcpt_with_parameters(const char* path, const char* parameters) {
  if (!may_change(action::add_rcpt_with_parameters) || is_empty(path)) return false;
  {
    PacketWriter packet(host_->answers, letter(milter::AnswerLetter::add_rcpt_with_parameters));
    packet.text(path);
    if (parameters != nullptr) packet.text(parameters);
  }
  return sent_if_many();
}

bool Session::delete_rcpt(const char* path) {
  if (!may_change(action::delete_rcpt) || is_empty(path)) return false;
  PacketWriter(host_->answers, letter(milter::AnswerLetter::delete_rcpt)).text(path);
  return sent_if_many();
}

bool Session::replace_body(const unsigned char* octets, int size) {
  if (!may_change(action::change_body) || size < 0 || (octets == nullptr && size > 0)) return false;
  std::string_view rest(reinterpret_cast<const char*>(octets), static_cast<std::size_t>(size));
  do {  // once even for no octets: they empty the body
    const std::string_view piece = rest.substr(0, milter::default_data_octets);
    rest.remove_prefix(piece.size());
    PacketWriter(host_->answers, letter(milter::AnswerLetter::replace_body)).octets(piece);
    if (!sent_if_many()) return false;
  } while (!rest.empty());
  return true;
}

bool Session::quarantine(const char* reason) {
  if (!may_change(action::quarantine) || is_empty(reason)) return false;
  PacketWriter(host_->answers, letter(milter::AnswerLetter::quarantine)).text(reason);
  return sent_if_many();
}

bool Session::progress() {
  if (host_ == nullptr || is_lost_) return false;
  PacketWriter(host_->answers, letter(milter::AnswerLetter::progress));
  if (!host_->send()) is_lost_ = true;
  return !is_lost_;
}

}  // namespace sallyport::milter_library
