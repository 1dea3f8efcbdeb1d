// HeaderEdit: what a verdict asks to be done to header fields that came with the mail. Fields that are added on top are
// not edits (Verdict::add_headers).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace sallyport::policies {

struct HeaderEdit {
  std::string name;
  // Which of the fields of that name, counted from the top of the header as it came, from 1; 0: all of them.
  std::uint64_t which = 0;
  // In UTF-8, without controls. Nothing: the fields are removed. A value stands in the place of the field; in that of
  // the first where `which` is 0, and the others are removed. Where there is none, it is added on top.
  std::optional<std::string> value;

  template <class V>
  void fields(V& visit) {
    visit("name", name);
    visit("which", which);
    visit("value", value);
  }
};

}  // namespace sallyport::policies
