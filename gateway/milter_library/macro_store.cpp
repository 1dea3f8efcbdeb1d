#include "gateway/milter_library/macro_store.h"

#include "gateway/milter/packet.h"

namespace sallyport::milter_library {

namespace {

using milter::Verb;

// The name without its braces when it is one character: `{i}` and `i` are the same.
std::string_view short_name(std::string_view name) {
  const bool is_in_braces = name.size() == 3 && name.front() == '{' && name.back() == '}';
  return is_in_braces ? name.substr(1, 1) : name;
}

// Where the value of that name begins; npos: nowhere.
std::size_t find_value(std::string_view pairs, std::string_view name) {
  milter::DataReader data(pairs);
  std::string_view one;
  std::string_view value;
  while (data.text(one) && data.text(value)) {
    if (short_name(one) == name) return static_cast<std::size_t>(value.data() - pairs.data());
  }
  return std::string_view::npos;
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
  MacroSet& set = sets_[static_cast<std::size_t>(stage)];
  set.reset();
  if (whole_octets > 0) set = MacroSet(pairs.substr(0, whole_octets));
}

void MacroStore::clear_from(int stage) {
  for (auto i = static_cast<std::size_t>(stage); i < sets_.size(); ++i) sets_[i].reset();
}

char* MacroStore::find(std::string_view name) {
  name = short_name(name);
  for (std::size_t i = sets_.size(); i-- > 0;) {
    const std::size_t value = find_value(sets_[i].pairs(), name);
    if (value != std::string_view::npos) return sets_[i].own_pairs() + value;
  }
  return nullptr;
}

}  // namespace sallyport::milter_library
