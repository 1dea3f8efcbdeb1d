#include "gateway/milter_library/reply_words.h"

#include <string_view>

namespace sallyport::milter_library {

namespace {

constexpr std::size_t most_text_octets = 980;
constexpr std::size_t most_texts = 32;
constexpr std::size_t most_subject_digits = 3;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_code(std::string_view code) {
  return code.size() == 3 && (code[0] == '4' || code[0] == '5') && is_digit(code[1]) && is_digit(code[2]);
}

// Takes a dot and one to three digits from the front.
bool take_number(std::string_view& text) {
  if (!text.starts_with('.')) return false;
  text.remove_prefix(1);
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  text.remove_prefix(digits);
  return digits >= 1 && digits <= most_subject_digits;
}

// RFC 3463, 2. Its class may differ from the code's: libmilter takes that, and filters may rely on it.
bool is_enhanced_code(std::string_view code) {
  if (code.empty() || (code[0] != '2' && code[0] != '4' && code[0] != '5')) return false;
  code.remove_prefix(1);
  return take_number(code) && take_number(code) && code.empty();
}

bool is_text(std::string_view text) {
  return text.size() <= most_text_octets && text.find_first_of("\r\n") == std::string_view::npos;
}

}  // namespace

std::optional<std::string> reply_words(const char* code, const char* enhanced, const char* text) {
  if (code == nullptr || !is_code(code)) return std::nullopt;
  if (enhanced != nullptr && !is_enhanced_code(enhanced)) return std::nullopt;
  if (text != nullptr && !is_text(text)) return std::nullopt;
  std::string words = std::string(code) + ' ';
  if (enhanced != nullptr) words += enhanced;
  if (enhanced != nullptr && text != nullptr) words += ' ';
  if (text != nullptr) words += text;
  return words;
}

std::optional<std::string> reply_words(const char* code, const char* enhanced, std::span<const char* const> texts) {
  if (code == nullptr || !is_code(code)) return std::nullopt;
  if (texts.empty() || texts.size() > most_texts) return std::nullopt;
  const std::string standard = std::string(1, *code) + ".0.0";
  if (enhanced == nullptr) enhanced = standard.c_str();
  if (!is_enhanced_code(enhanced)) return std::nullopt;
  std::string words;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i] == nullptr || !is_text(texts[i])) return std::nullopt;
    if (i > 0) words += "\r\n";
    words += std::string(code) + (i + 1 < texts.size() ? '-' : ' ') + enhanced + ' ' + texts[i];
  }
  return words;
}

}  // namespace sallyport::milter_library
