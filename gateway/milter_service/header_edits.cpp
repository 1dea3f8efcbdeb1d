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

// For each field its number among those of its name, from 1 on.
std::vector<std::uint32_t> numbers_of(const mail::HeaderSection& section) {
  std::map<std::string, std::uint32_t> seen;
  std::vector<std::uint32_t> numbers;
  numbers.reserve(section.fields().size());
  for (const mail::HeaderField& field : section.fields()) numbers.push_back(++seen[text::to_lower(name_of(field))]);
  return numbers;
}

void encode_changes(std::string& out, const milter::Terms& terms, const mail::HeaderSection& came,
                    const std::vector<mail::OutgoingHeader::Edit>& edits) {
  const std::vector<std::uint32_t> numbers = numbers_of(came);
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
  if (may_change && !leaving.edits.empty()) encode_changes(out, terms, came, leaving.edits);
  if (!may_add) return;
  for (const std::string_view whole : leaving.further) {
    const mail::HeaderSection section(whole);
    const std::string value = wire_value(section.fields().front().value, terms);
    milter::encode(out, milter::AddHeader{section.fields().front().name, value});
  }
  encode_added(out, terms, leaving.added);
}

}  // namespace sallyport::milter_service
