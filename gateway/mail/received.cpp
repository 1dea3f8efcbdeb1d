#include "gateway/mail/received.h"

#include <algorithm>

#include "gateway/base/text.h"

namespace sallyport::mail {

namespace {

constexpr std::size_t id_length = 16;         // length of our transaction ids (base/id.h)
constexpr std::size_t usual_octets = 512;     // a field of this length is written without a copy
constexpr std::size_t longest_address = 320;  // a local part of 64, an @, a domain of 255

// RFC 3848 and RFC 6531, 4.3. TLS and UTF-8 are extensions, so after HELO the word is always SMTP.
std::string protocol_word(const ReceivedInfo& info) {
  if (!info.extended) return "SMTP";
  std::string word = info.utf8 ? "UTF8SMTP" : "ESMTP";
  if (info.tls) word += 'S';
  return word;
}

std::string peer_name(std::string_view name) { return name.empty() ? "unknown" : text::for_header(name); }

// A canonical address contains nothing that could end the field or the clause. An address with controls, or that does
// not fit the field's character set, is left out, since the clause is optional.
bool fits_for_clause(const ReceivedInfo& info) {
  std::string_view address = info.for_address;
  if (address.empty() || address.size() > longest_address) return false;
  if (std::any_of(address.begin(), address.end(), text::is_control)) return false;
  return info.utf8 ? text::is_utf8(address) : text::is_ascii(address);
}

bool is_our_id(std::string_view word) {
  constexpr std::string_view crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  return word.size() == id_length && word.find_first_not_of(crockford) == std::string_view::npos;
}

// Splits a Received field into words; skips comments and semicolons.
class Words {
 public:
  explicit Words(std::string_view text) : text_(text) {}

  std::string_view next() {
    skip_between();
    const std::size_t begin = at_;
    while (at_ < text_.size() && !is_between(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

 private:
  static bool is_between(char c) { return text::is_space(c) || c == '(' || c == ')' || c == ';'; }

  void skip_between() {
    std::size_t depth = 0;
    for (; at_ < text_.size() && (depth > 0 || is_between(text_[at_])); ++at_) {
      if (text_[at_] == '(') {
        ++depth;
      } else if (text_[at_] == ')' && depth > 0) {
        --depth;
      } else if (text_[at_] == '\\') {
        ++at_;
      }
    }
    at_ = std::min(at_, text_.size());
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

bool is_own_mark(const HeaderField& field, std::string_view own_name) {
  const std::string value = unfold(field.value);
  Words words(value);
  bool by_us = false;
  bool with_our_id = false;
  std::string_view before;
  for (std::string_view word = words.next(); !word.empty(); word = words.next()) {
    if (text::equals_ignoring_case(before, "by") && text::equals_ignoring_case(word, own_name)) by_us = true;
    if (text::equals_ignoring_case(before, "id") && is_our_id(word)) with_our_id = true;
    before = word;
  }
  return by_us && with_our_id;
}

}  // namespace

std::string make_received(const ReceivedInfo& info) {
  // S37: nothing the client sent can add, end, continue or alter our text. `by`, `id` and the TLS words are our own.
  std::string field;
  field.reserve(usual_octets);
  field.append("Received: from ").append(peer_name(info.helo)).append(" (").append(peer_name(info.rdns)).append(" ");
  field.append(info.ip_literal).append(")\r\n\tby ").append(info.by).append(" with ").append(protocol_word(info));
  if (info.tls) {
    field.append(" (").append(info.tls_version).append(" cipher ").append(info.tls_cipher);
    field += " bits " + std::to_string(info.tls_bits) + ')';
  }
  field.append("\r\n\tid ").append(info.id);
  if (fits_for_clause(info)) field.append(" for <").append(info.for_address).append(">");
  field.append(";\r\n\t").append(mail_date(info.date)).append("\r\n");
  return field;
}

LoopSigns find_loop_signs(const HeaderSection& header, std::string_view own_name) {
  LoopSigns signs;
  for (const HeaderField& field : header.fields()) {
    if (!text::equals_ignoring_case(field.name, "received")) continue;
    ++signs.received_fields;
    if (is_own_mark(field, own_name)) ++signs.own_marks;
  }
  return signs;
}

}  // namespace sallyport::mail
