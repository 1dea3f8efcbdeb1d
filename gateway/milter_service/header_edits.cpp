#include "gateway/milter_service/header_edits.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include "gateway/base/text.h"
#include "gateway/milter/answer.h"

namespace sallyport::milter_service {

namespace {

// As the protocol has a value: LF between its lines, and the blank behind the colon only where that was agreed on.
std::string wire_value(std::string_view value, const milter::Terms& terms) {
  const bool has_blank = (terms.options & milter::option::leading_space) != 0;
  if (!has_blank && !value.empty() && text::is_space(value.front())) value.remove_prefix(1);
  std::string wire;
  wire.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '\r') {
      wire.push_back(value[i]);
    } else if (i + 1 == value.size() || value[i + 1] != '\n') {
      wire.push_back(' ');
    }
  }
  return wire;
}

// As the MTA knows the field. A line that is no field for us has a name all the same, or the MTA had not told it.
std::string_view name_of(const mail::HeaderField& field) {
  if (!field.name.empty()) return field.name;
  return text::trim(field.whole.substr(0, field.whole.find(':')));
}

using Further = mail::OutgoingHeader::Further;

// A further field by itself.
struct Alone {
  explicit Alone(const Further& further, const milter::Terms& terms)
      : section(further.field), value(wire_value(section.fields().front().value, terms)) {}
  std::string_view name() const { return section.fields().front().name; }

  const mail::HeaderSection section;
  const std::string value;
};

// For each field that came its number among those of its name, from 1 on, where those of `inserted` stand, too.
std::vector<std::uint32_t> numbers_of(const mail::HeaderSection& section, const std::vector<Further>& inserted) {
  std::map<std::string, std::uint32_t> seen;
  std::vector<std::uint32_t> numbers;
  numbers.reserve(section.fields().size());
  auto next = inserted.begin();
  for (const mail::HeaderField& field : section.fields()) {
    for (; next != inserted.end() && next->before <= numbers.size(); ++next)
      ++seen[text::to_lower(text::trim(next->field.substr(0, next->field.find(':'))))];
    numbers.push_back(++seen[text::to_lower(name_of(field))]);
  }
  return numbers;
}

// The index 0 is above the MTA's own Received field, 1 above the first field that came.
void encode_inserted(std::string& out, const milter::Terms& terms, const std::vector<Further>& inserted) {
  for (auto further = inserted.rbegin(); further != inserted.rend(); ++further) {
    const Alone alone(*further, terms);
    milter::encode(out,
                   milter::InsertHeader{static_cast<std::uint32_t>(further->before + 1), alone.name(), alone.value});
  }
}

void encode_changes(std::string& out, const milter::Terms& terms, const mail::HeaderSection& came,
                    const std::vector<Further>& inserted, const std::vector<mail::OutgoingHeader::Edit>& edits) {
  const std::vector<std::uint32_t> numbers = numbers_of(came, inserted);
  // From the bottom up, because one that is removed may or may not change the numbers of those below it.
  for (auto edit = edits.rbegin(); edit != edits.rend(); ++edit) {
    milter::ChangeHeader change;
    change.index = numbers[edit->field];
    change.name = name_of(came.fields()[edit->field]);
    std::string value;
    if (!edit->other.empty()) {
      const mail::HeaderSection other(edit->other);
      value = wire_value(other.fields().front().value, terms);
    }
    change.value = value;
    milter::encode(out, change);
  }
}

// Each above all others, so the last one goes first.
void encode_added(std::string& out, const milter::Terms& terms, const std::string& added) {
  const mail::HeaderSection section(added);
  for (auto field = section.fields().rbegin(); field != section.fields().rend(); ++field) {
    const std::string value = wire_value(field->value, terms);
    milter::encode(out, milter::InsertHeader{0, field->name, value});
  }
}

}  // namespace

void encode_edits(std::string& out, const milter::Terms& terms, const mail::HeaderSection& came,
                  const mail::OutgoingHeader& leaving) {
  const bool may_change = (terms.actions & milter::action::change_headers) != 0;
  const bool may_add = (terms.actions & milter::action::add_headers) != 0;
  std::vector<Further> inserted = leaving.further;
  std::vector<Further> at_end;
  if (!may_add) inserted.clear();
  while (!inserted.empty() && inserted.back().before >= came.fields().size()) {
    at_end.insert(at_end.begin(), inserted.back());
    inserted.pop_back();
  }
  encode_inserted(out, terms, inserted);
  if (may_change && !leaving.edits.empty()) encode_changes(out, terms, came, inserted, leaving.edits);
  if (!may_add) return;
  for (const Further& further : at_end) {
    const Alone alone(further, terms);
    milter::encode(out, milter::AddHeader{alone.name(), alone.value});
  }
  encode_added(out, terms, leaving.added);
}

}  // namespace sallyport::milter_service
