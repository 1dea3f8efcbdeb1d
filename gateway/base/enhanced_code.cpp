#include "gateway/base/enhanced_code.h"

#include "gateway/base/text.h"

namespace sallyport {

namespace {

// Parses "." and 1 to 3 digits at `from`; gives the position behind them, or 0 if they are not there.
std::size_t end_of_part(std::string_view text, std::size_t from) {
  if (from >= text.size() || text[from] != '.') return 0;
  std::size_t at = from + 1;
  while (at < text.size() && at <= from + 3 && text::is_digit(text[at])) ++at;
  return at == from + 1 ? 0 : at;
}

}  // namespace

std::size_t enhanced_code_length(std::string_view text) {
  if (text.empty() || (text[0] != '2' && text[0] != '4' && text[0] != '5')) return 0;
  const std::size_t subject_end = end_of_part(text, 1);
  if (subject_end == 0) return 0;
  const std::size_t detail_end = end_of_part(text, subject_end);
  if (detail_end == 0 || (detail_end < text.size() && text[detail_end] != ' ')) return 0;
  return detail_end;
}

}  // namespace sallyport
