#include "gateway/mail/encoded_words.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "gateway/base/base64.h"
#include "gateway/base/charset.h"
#include "gateway/base/text.h"

namespace sallyport::mail {

namespace {

constexpr std::string_view fallback_charset = "windows-1252";
constexpr std::size_t max_decoded_octets = 4 * max_field_octets;
constexpr std::size_t max_shown_name = 40;

struct EncodedWord {
  std::string_view charset;  // without a language tag
  char encoding = 'q';       // q or b
  std::string_view text;
  std::size_t length = 0;  // from "=?" to "?="
};

// Parses an encoded word at the start of `text`. Words longer than the allowed 75 octets are common and accepted.
// Searches no further than the third question mark, so that a row of false starts stays linear.
std::optional<EncodedWord> read_encoded_word(std::string_view text) {
  if (!text.starts_with("=?")) return std::nullopt;
  const std::size_t charset_end = text.find_first_of("? ", 2);
  if (charset_end == std::string_view::npos || charset_end + 2 >= text.size()) return std::nullopt;
  if (text[charset_end] != '?' || text[charset_end + 2] != '?') return std::nullopt;
  const std::size_t begin = charset_end + 3;
  const std::size_t end = text.find('?', begin);
  if (end == std::string_view::npos || !text.substr(end).starts_with("?=")) return std::nullopt;

  EncodedWord word;
  word.charset = text.substr(2, charset_end - 2);
  word.charset = word.charset.substr(0, word.charset.find('*'));  // a language tag may follow
  word.encoding = text::lower(text[charset_end + 1]);
  if (word.encoding != 'q' && word.encoding != 'b') return std::nullopt;
  word.text = text.substr(begin, end - begin);
  word.length = end + 2;
  return word;
}

std::string decode_q(std::string_view encoded) {
  std::string octets;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] == '=') {
      if (auto octet = text::from_hex(encoded.substr(i + 1, 2)); octet && octet->size() == 1) {
        octets += *octet;
        i += 2;
        continue;
      }
    }
    octets += encoded[i] == '_' ? ' ' : encoded[i];
  }
  return octets;
}

bool is_base64_digit(char c) { return text::is_alnum(c) || c == '+' || c == '/'; }

// Words in a row of one charset.
class Run {
 public:
  bool is_empty() const { return charset_.empty(); }
  std::string_view charset() const { return charset_; }
  bool takes(const EncodedWord& word) const { return text::equals_ignoring_case(word.charset, charset_); }

  void add(const EncodedWord& word) {
    charset_ = word.charset;
    if (word.encoding == 'q') {
      end_base64();
      octets_ += decode_q(word.text);
      return;
    }
    base64_ += word.text;
    digits_ += static_cast<std::size_t>(std::count_if(word.text.begin(), word.text.end(), is_base64_digit));
    // Without padding, the next word has the rest of the last group.
    if (digits_ % 4 == 0 || word.text.ends_with('=')) end_base64();
  }

  // What it stands for; begins anew.
  std::string take_octets() {
    end_base64();
    charset_ = {};
    return std::exchange(octets_, {});
  }

 private:
  void end_base64() {
    octets_ += from_base64_leniently(base64_);
    base64_.clear();
    digits_ = 0;
  }

  std::string_view charset_;
  std::string octets_;
  std::string base64_;  // of words whose last group may go on in the next
  std::size_t digits_ = 0;
};

// A decoded control must not become a line end or a terminal's command when it is shown.
void replace_controls(std::string& utf8) {
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    if (text::is_control(utf8[i])) utf8[i] = ' ';
    const bool is_c1 = utf8[i] == '\xc2' && i + 1 < utf8.size() && static_cast<unsigned char>(utf8[i + 1]) < 0xa0;
    if (is_c1) utf8.replace(i, 2, " ");
  }
}

// Whether a field may be written in it: UTF-16 and EBCDIC have other octets for ASCII.
bool has_ascii(std::string_view charset) {
  constexpr std::string_view sample = "Az+";
  const auto converted = to_utf8(sample, charset, sample.size());
  return converted && converted->utf8 == sample;
}

class Decoding {
 public:
  explicit Decoding(std::string_view raw_charset) : raw_charset_(raw_charset) {}

  DecodedText run(std::string_view line) {
    for (std::string_view rest = line; !rest.empty();) {
      // White space between two encoded words is not shown (RFC 2047, 6.2).
      const std::size_t spaces = std::min(rest.find_first_not_of(" \t"), rest.size());
      if (const auto word = read_encoded_word(rest.substr(spaces)); word && is_known(*word)) {
        if (run_.is_empty()) {
          plain_ += rest.substr(0, spaces);
          end_plain();
        } else if (!run_.takes(*word)) {
          end_run();
        }
        run_.add(*word);
        rest.remove_prefix(spaces + word->length);
        continue;
      }
      end_run();
      // Unchanged, up to where the next encoded word may begin.
      const std::size_t plain = std::min(rest.find_first_of("= \t", spaces + 1), rest.size());
      plain_ += rest.substr(0, plain);
      rest.remove_prefix(plain);
    }
    end_run();
    end_plain();
    decoded_.text = to_normal_form(std::move(decoded_.text));
    return std::move(decoded_);
  }

 private:
  void note(std::string problem) {
    if (decoded_.problem.empty()) decoded_.problem = std::move(problem);
  }

  bool is_known(const EncodedWord& word) {
    if (is_known_charset(word.charset)) return true;
    note("the charset " + text::printable(word.charset, max_shown_name) + " is not known");
    return false;
  }

  void append(std::string_view octets, std::string_view charset) {
    const std::size_t room = max_decoded_octets - std::min(max_decoded_octets, decoded_.text.size());
    auto converted = to_utf8(octets, charset, room);
    if (!converted) converted.emplace();  // ICU has the name and no table
    if (!converted->is_whole || (converted->utf8.empty() && !octets.empty()))
      note("octets that are nothing in " + text::printable(charset, max_shown_name));
    replace_controls(converted->utf8);
    decoded_.text += converted->utf8;
  }

  void end_run() {
    if (run_.is_empty()) return;
    const std::string_view charset = run_.charset();
    append(run_.take_octets(), charset);
  }

  void end_plain() {
    if (text::is_ascii(plain_) || text::is_utf8(plain_)) {
      decoded_.text += plain_;
    } else {
      note("octets outside ASCII that are neither encoded nor UTF-8");
      append(plain_, has_ascii(raw_charset_) ? raw_charset_ : fallback_charset);
    }
    plain_.clear();
  }

  std::string_view raw_charset_;
  DecodedText decoded_;
  Run run_;
  std::string plain_;  // text that is no encoded word, in front of what comes next
};

}  // namespace

DecodedText decode_text(std::string_view value, std::string_view raw_charset) {
  std::string line = unfold(value);
  if (text::is_ascii(line) && line.find("=?") == std::string::npos) return {std::move(line), {}};
  return Decoding(raw_charset).run(line);
}

std::string decode_words(std::string_view value) { return decode_text(value).text; }

std::string_view declared_charset(const HeaderSection& header) {
  const HeaderField* field = header.find("Content-Type");
  if (field == nullptr) return {};
  for (std::string_view parameter : text::split(field->value, ';')) {
    const auto is_white = [](char c) { return text::is_space(c) || c == '\r' || c == '\n' || c == '"'; };
    const auto trim = [&is_white](std::string_view text) {
      while (!text.empty() && is_white(text.front())) text.remove_prefix(1);
      while (!text.empty() && is_white(text.back())) text.remove_suffix(1);
      return text;
    };
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos) continue;
    if (text::equals_ignoring_case(trim(parameter.substr(0, equals)), "charset"))
      return trim(parameter.substr(equals + 1));
  }
  return {};
}

}  // namespace sallyport::mail
