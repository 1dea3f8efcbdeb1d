#include "gateway/base/score_text.h"

#include <fmt/format.h>

namespace sallyport {

std::string score_text(double score) {
  std::string text = fmt::format("{:.3f}", score);
  if (text.find('.') == std::string::npos) return text;  // infinite, or no number
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text == "-0" ? "0" : text;
}

}  // namespace sallyport
