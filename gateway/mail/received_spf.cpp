#include "gateway/mail/received_spf.h"

#include <algorithm>
#include <utility>

#include "gateway/base/text.h"
#include "gateway/mail/quoted_string.h"

namespace sallyport::mail {

namespace {

constexpr std::size_t most_value_octets = 400;
constexpr std::size_t line_octets = 78;  // RFC 5322, 2.1.1

bool is_atom_text(char c) {
  constexpr std::string_view marks = "!#$%&'*+-/=?^_`{|}~";
  return text::is_alnum(c) || marks.find(c) != std::string_view::npos;
}

// RFC 5322, 3.2.3.
bool is_dot_atom(std::string_view value) {
  if (value.empty() || value.front() == '.' || value.back() == '.' || value.find("..") != std::string_view::npos) {
    return false;
  }
  return std::all_of(value.begin(), value.end(), [](char c) { return c == '.' || is_atom_text(c); });
}

// Filtered text that cannot end the field: ASCII without controls or, with `utf8`, UTF-8 without controls.
std::string filtered(std::string_view value, bool utf8) {
  if (!utf8 || value.size() > most_value_octets || !text::is_utf8(value)) {
    return text::printable(value, most_value_octets);
  }
  std::string out(value);
  std::replace_if(out.begin(), out.end(), text::is_control, '?');
  return out;
}

// Writes key=value pairs; begins a new line before a pair that would make the line too long.
class Pairs {
 public:
  explicit Pairs(std::string field) : field_(std::move(field)), line_(field_.size()) { field_.reserve(usual_octets); }

  void add(std::string_view key, const std::string& text) {
    std::string value;
    if (is_dot_atom(text)) {
      value = text;
    } else {
      append_quoted(value, text);
    }
    const std::size_t pair_octets = key.size() + 1 + value.size();
    if (has_pair_) field_ += ';';
    const bool is_too_long = line_ + pair_octets + 2 > line_octets;
    field_ += is_too_long ? "\r\n\t" : " ";
    line_ = (is_too_long ? 0 : line_ + 1) + pair_octets + 1;
    field_.append(key).append("=").append(value);
    has_pair_ = true;
  }
  std::string take() { return std::move(field_) + "\r\n"; }

 private:
  static constexpr std::size_t usual_octets = 320;

  std::string field_;
  std::size_t line_;
  bool has_pair_ = false;
};

}  // namespace

std::string make_received_spf(const ReceivedSpfInfo& info) {
  std::string field("Received-SPF: ");
  Pairs pairs(field.append(info.result));
  if (!info.receiver.empty()) pairs.add("receiver", filtered(info.receiver, info.utf8));
  pairs.add("identity", std::string(info.identity));
  pairs.add("client-ip", std::string(info.client_ip));
  if (!info.envelope_from.empty()) pairs.add("envelope-from", filtered(info.envelope_from, info.utf8));
  pairs.add("helo", text::for_header(info.helo));
  pairs.add("mechanism", info.mechanism.empty() ? "default" : filtered(info.mechanism, info.utf8));
  if (!info.problem.empty()) pairs.add("problem", filtered(info.problem, info.utf8));
  return pairs.take();
}

}  // namespace sallyport::mail
