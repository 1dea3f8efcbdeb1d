// Lists as files and web servers have them. What must hold for any text: it is read or refused with the number of a
// line, what is read takes memory in proportion, and each entry that stands there is found again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/ensure.h"
#include "gateway/base/entry_list.h"
#include "gateway/base/text.h"

namespace {

using namespace sallyport;

void try_kind(std::string_view text, EntryKind kind) {
  const auto list = EntryList::parse(text, kind);
  if (!list) {
    ensure(list.error().message.starts_with("line "), "a refusal that names no line");
    return;
  }
  ensure((*list)->octets() <= 4096 + 100 * text.size(), "a list takes much more memory than its text");
  for (std::string_view line : text::split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::string_view entry = text::trim(line);
    // Of the others a comment or a byte order mark is part.
    if (kind == EntryKind::network || entry.empty() || entry.find_first_of("#;\xef") != std::string_view::npos)
      continue;
    ensure((*list)->contains(entry), "an entry that is not found");
  }
  (*list)->contains(text.substr(0, 300));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const EntryKind kind : {EntryKind::domain, EntryKind::address, EntryKind::network, EntryKind::word}) {
    try_kind(text, kind);
  }
  return 0;
}
