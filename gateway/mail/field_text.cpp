// Reads the values of header fields: unfolding. Encoded words are in encoded_words.cpp, addresses in address_list.cpp.
#include <algorithm>

#include "gateway/base/text.h"
#include "gateway/mail/header.h"

namespace sallyport::mail {

namespace {

bool is_line_octet(char c) { return c == '\r' || c == '\n'; }

}  // namespace

std::string unfold(std::string_view value) {
  std::string line;
  line.reserve(value.size());
  while (true) {
    const auto end = std::find_if(value.begin(), value.end(), is_line_octet);
    line.append(value.begin(), end);
    value.remove_prefix(static_cast<std::size_t>(end - value.begin()));
    if (value.empty()) return std::string(text::trim(line));
    const bool folds = value.starts_with("\r\n") && value.size() > 2 && text::is_space(value[2]);
    if (!folds) line += ' ';
    value.remove_prefix(folds ? 2 : 1);
  }
}

}  // namespace sallyport::mail
