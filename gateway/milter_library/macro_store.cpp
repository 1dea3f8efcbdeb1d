#include "gateway/milter_library/macro_store.h"

#include <cstring>

#include "gateway/milter/packet.h"

namespace sallyport::milter_library {

namespace {

using milter::Verb;

// The name without its braces when it is one character: `{i}` and `i` are the same.
std::string_view short_name(std::string_view name) {
  const bool is_in_braces = name.size() == 3 && name.front() == '{' && name.back() == '}';
  return is_in_braces ? name.substr(1, 1) : name;
}

}  // namespace

int MacroStore::stage_of(Verb verb) {
  switch (verb) {
    case Verb::connect:
      return 0;
    case Verb::helo:
      return 1;
    case Verb::mail:
      return 2;
    case Verb::rcpt:
      return 3;
    case Verb::data:
      return 4;
    case Verb::end_of_header:
      return 5;
    case Verb::end_of_message:
      return 6;
    default:
      return -1;
  }
}

void MacroStore::set(int stage, std::string_view pairs) {
  milter::DataReader data(pairs);
  std::size_t whole_octets = 0;
  std::string_view name;
  std::string_view value;
  while (data.text(name) && !name.empty() && data.text(value)) whole_octets = pairs.size() - data.rest().size();
  if (!sets_) sets_ = std::make_unique<std::array<std::unique_ptr<char[]>, stages>>();
  auto octets = std::make_unique<char[]>(whole_octets + 1);
  std::memcpy(octets.get(), pairs.data(), whole_octets);
  (*sets_)[static_cast<std::size_t>(stage)] = std::move(octets);
}

void MacroStore::clear_from(int stage) {
  if (!sets_) return;
  for (auto i = static_cast<std::size_t>(stage); i < sets_->size(); ++i) (*sets_)[i].reset();
}

char* MacroStore::find_in(char* pairs, std::string_view name) {
  while (*pairs != '\0') {
    const std::string_view one = pairs;
    char* value = pairs + one.size() + 1;
    if (short_name(one) == name) return value;
    pairs = value + std::strlen(value) + 1;
  }
  return nullptr;
}

char* MacroStore::find(std::string_view name) const {
  if (!sets_) return nullptr;
  name = short_name(name);
  for (std::size_t i = sets_->size(); i-- > 0;) {
    char* value = (*sets_)[i] ? find_in((*sets_)[i].get(), name) : nullptr;
    if (value != nullptr) return value;
  }
  return nullptr;
}

}  // namespace sallyport::milter_library
