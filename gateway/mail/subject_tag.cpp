#include "gateway/mail/subject_tag.h"

#include <algorithm>
#include <vector>

#include "gateway/base/text.h"
#include "gateway/mail/encoded_words.h"
#include "gateway/mail/word_encoder.h"

namespace sallyport::mail {

namespace {

constexpr std::size_t longest_line = 998;      // RFC 5322, 2.1.1
constexpr std::size_t longest_reply_word = 8;  // "Antwort:"
constexpr std::size_t most_tags = 800;         // octets, of all together
constexpr int most_reply_words = 4;            // a tag behind more is not where readers look for it

std::string_view skip_spaces(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  return text;
}

// The length of "Re:", "Fwd:", "AW:", "Re[2]:", "Re(2):" at the start of the text; 0: there is none.
std::size_t reply_word(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && text::is_alpha(text[end])) ++end;
  if (end == 0 || end > longest_reply_word) return 0;
  if (end < text.size() && (text[end] == '[' || text[end] == '(')) {
    const std::size_t close = text.find_first_not_of("0123456789", end + 1);
    if (close == std::string_view::npos || (text[close] != ']' && text[close] != ')')) return 0;
    end = close + 1;
  }
  return end < text.size() && text[end] == ':' ? end + 1 : 0;
}

std::size_t last_line(std::string_view text) {
  const std::size_t end = text.rfind('\n');
  return end == std::string_view::npos ? text.size() : text.size() - end - 1;
}

// Adds `text` to the last line of the field behind a space, or behind a fold where that line would be too long.
void add_behind_space(std::string& field, std::string_view text) {
  const std::size_t first_line = std::min(text.find("\r\n"), text.size());
  const bool fits = last_line(field) + 1 + first_line <= longest_line;
  field.append(fits ? " " : "\r\n ").append(text);
}

}  // namespace

SubjectTags::SubjectTags(std::span<const std::string> tags) {
  std::size_t octets = 0;
  for (const std::string& tag : tags) {
    const bool is_known = std::any_of(tags_.begin(), tags_.end(), [&](const Tag& one) { return one.text == tag; });
    if (is_known || octets + tag.size() > most_tags) continue;
    octets += tag.size();
    const std::string seen = decode_text(tag).text;  // as the subject is: in one normal form
    tags_.push_back({tag, std::string(text::trim(seen))});
  }
}

// The tags that the subject does not begin with, joined.
std::string SubjectTags::missing(std::string_view subject) const {
  std::vector<bool> is_shown(tags_.size());
  int reply_words = 0;
  while (true) {
    subject = skip_spaces(subject);
    const auto begins = [subject](const Tag& tag) { return !tag.seen.empty() && subject.starts_with(tag.seen); };
    const auto shown = std::find_if(tags_.begin(), tags_.end(), begins);
    if (shown != tags_.end()) {
      is_shown[static_cast<std::size_t>(shown - tags_.begin())] = true;
      subject.remove_prefix(shown->seen.size());
      continue;
    }
    const std::size_t reply = reply_words < most_reply_words ? reply_word(subject) : 0;
    if (reply == 0) break;
    ++reply_words;
    subject.remove_prefix(reply);
  }
  std::string joined;
  for (std::size_t i = 0; i < tags_.size(); ++i) {
    if (!is_shown[i]) joined += tags_[i].text;
  }
  return joined;
}

std::optional<std::string> SubjectTags::put_before(const HeaderField& subject, std::string_view raw_charset) const {
  std::string tag = missing(decode_text(subject.value, raw_charset).text);
  if (tag.empty()) return std::nullopt;
  const std::string_view rest = skip_spaces(subject.value);
  // Readers drop the space between two encoded words, and show that between one and other text.
  const bool meets_word = rest.starts_with("=?");
  const bool is_encoded = needs_encoding(tag) || (meets_word && !tag.ends_with(' '));
  const bool ends_with_space = tag.ends_with(' ');
  if (ends_with_space && !(is_encoded && meets_word)) tag.pop_back();
  std::string field(subject.whole.substr(0, static_cast<std::size_t>(subject.value.data() - subject.whole.data())));
  add_behind_space(field, is_encoded ? to_encoded_words(tag) : tag);
  const std::size_t first_line = std::min(rest.find("\r\n"), rest.size());
  if (is_encoded || ends_with_space || last_line(field) + first_line > longest_line) {
    add_behind_space(field, rest);
  } else {
    field.append(rest);
  }
  return field.append("\r\n");
}

std::string SubjectTags::as_subject() const {
  const std::string tag = missing({});
  return "Subject: " + (needs_encoding(tag) ? to_encoded_words(text::trim(tag)) : tag) + "\r\n";
}

}  // namespace sallyport::mail
