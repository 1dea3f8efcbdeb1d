#include "gateway/signature/header_input.h"

#include <algorithm>

#include "gateway/base/ensure.h"
#include "gateway/base/text.h"

namespace sallyport::signature {

namespace {

// Orders names without regard to case, first by length, which is cheaper.
bool comes_before(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() < b.size();
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](char x, char y) { return text::lower(x) < text::lower(y); });
}

struct ByName {
  bool operator()(const mail::HeaderField* field, std::string_view name) const {
    return comes_before(field->name, name);
  }
  bool operator()(std::string_view name, const mail::HeaderField* field) const {
    return comes_before(name, field->name);
  }
};

}  // namespace

FieldIndex::FieldIndex(const mail::HeaderSection& section) {
  by_name_.reserve(section.fields().size());
  for (auto field = section.fields().rbegin(); field != section.fields().rend(); ++field) {
    if (!field->name.empty()) by_name_.push_back(&*field);
  }
  std::stable_sort(by_name_.begin(), by_name_.end(),
                   [](const auto* a, const auto* b) { return comes_before(a->name, b->name); });
}

FieldIndex::Range FieldIndex::range(std::string_view name) const {
  const auto [begin, end] = std::equal_range(by_name_.begin(), by_name_.end(), name, ByName());
  return {static_cast<std::size_t>(begin - by_name_.begin()), static_cast<std::size_t>(end - by_name_.begin())};
}

std::size_t FieldIndex::count(std::string_view name) const {
  const Range fields = range(name);
  return fields.end - fields.begin;
}

std::vector<const mail::HeaderField*> FieldIndex::select(const std::vector<std::string_view>& names,
                                                         const mail::HeaderField* itself) const {
  std::vector<const mail::HeaderField*> selected;
  selected.reserve(names.size());
  std::vector<std::size_t> taken(by_name_.size());  // how many fields of the range that begins there are taken
  for (std::string_view name : names) {
    const Range fields = range(name);
    if (fields.begin == fields.end) continue;
    std::size_t& next = taken[fields.begin];
    if (fields.begin + next < fields.end && by_name_[fields.begin + next] == itself) ++next;
    if (fields.begin + next == fields.end) continue;
    selected.push_back(by_name_[fields.begin + next++]);
  }
  return selected;
}

void append_own_field(std::string& out, const mail::HeaderField& field, std::string_view raw_value,
                      Canonicalization how) {
  const auto before = static_cast<std::size_t>(raw_value.data() - field.value.data());
  ensure(before <= field.value.size() && raw_value.size() <= field.value.size() - before,
         "append_own_field: b= is not of this field");
  std::string value(field.value.substr(0, before));
  value += field.value.substr(before + raw_value.size());
  if (how == Canonicalization::relaxed) {
    append_relaxed_name(out, field.name);
    append_relaxed_value(out, value);
    return;
  }
  out += field.whole.substr(0, static_cast<std::size_t>(field.value.data() - field.whole.data()));
  out += value;
}

}  // namespace sallyport::signature
