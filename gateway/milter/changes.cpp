#include "gateway/milter/changes.h"

#include <algorithm>

#include "gateway/base/text.h"

namespace sallyport::milter {

namespace {

using Fields = std::vector<HeaderField>;

Fields::iterator find_field(Fields& fields, std::string_view name, std::uint32_t number) {
  std::uint32_t seen = 0;
  return std::find_if(fields.begin(), fields.end(), [&](const HeaderField& field) {
    return text::equals_ignoring_case(field.name, name) && ++seen == number;
  });
}

void change(const HeaderChange& change, Fields& fields) {
  const auto found = find_field(fields, change.field.name, std::max<std::uint32_t>(1, change.index));
  if (change.removes) {
    if (found != fields.end()) fields.erase(found);
  } else if (found != fields.end()) {
    *found = change.field;
  } else {
    fields.push_back(change.field);
  }
}

}  // namespace

void apply_changes(const std::vector<HeaderChange>& changes, Fields& fields) {
  for (const HeaderChange& one : changes) {
    switch (one.kind) {
      case HeaderChange::Kind::append:
        fields.push_back(one.field);
        break;
      case HeaderChange::Kind::insert:
        fields.insert(fields.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(one.index, fields.size())),
                      one.field);
        break;
      case HeaderChange::Kind::change:
        change(one, fields);
        break;
    }
  }
}

}  // namespace sallyport::milter
