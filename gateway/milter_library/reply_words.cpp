#include "gateway/milter_library/reply_words.h"

#include <string_view>

#include "gateway/base/enhanced_code.h"
#include "gateway/base/text.h"

namespace sallyport::milter_library {

namespace {

constexpr std::size_t most_text_octets = 980;
constexpr std::size_t most_texts = 32;

bool is_code(std::string_view code) {
  return code.size() == 3 && (code[0] == '4' || code[0] == '5') && text::is_digit(code[1]) && text::is_digit(code[2]);
}

// Its class may differ from the code's: libmilter takes that, and filters may rely on it.
bool is_enhanced_code(std::string_view code) { return !code.empty() && enhanced_code_length(code) == code.size(); }

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
