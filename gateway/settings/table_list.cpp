#include "gateway/settings/table_list.h"

#include <algorithm>

#include "gateway/base/text.h"

namespace sallyport::settings::detail {

namespace {

const Row* find_row(std::span<const Row> rows, std::string_view key) {
  const auto found = std::find_if(rows.begin(), rows.end(), [key](const Row& row) { return row.key == key; });
  return found == rows.end() ? nullptr : &*found;
}

bool refuse_key(const Member& member, const Reading& reading, std::span<const Row> rows) {
  std::vector<std::string> known;
  for (const Row& row : rows) known.emplace_back(row.key);
  std::string message = "unknown key " + quote(member.key) + " in a " + std::string(reading.type.name);
  const std::string_view meant = text::did_you_mean(member.key, known);
  if (!meant.empty()) message += "; did you mean " + quote(meant) + "?";
  reading.errors.push_back({member.at, std::move(message)});
  return false;
}

}  // namespace

bool read_table(const Node& table, const Reading& reading, std::span<const Row> rows, void* into) {
  if (table.kind != Node::Kind::table) return reading.mismatch(table);
  bool good = true;
  for (const Member& member : table.members) {
    const Row* row = find_row(rows, member.key);
    if (row == nullptr) {
      good = refuse_key(member, reading, rows);
      continue;
    }
    const Reading one{*row->type, {row->options.least, row->options.most}, reading.directory, reading.errors};
    good = row->type->read(member.value, one, row->member(into, {})) && good;
  }
  for (const Row& row : rows) {
    const bool is_there = std::any_of(table.members.begin(), table.members.end(),
                                      [&row](const Member& member) { return member.key == row.key; });
    if (!row.options.required || is_there) continue;
    good = reading.fail(table, std::string(row.key) + " is required: expected " + row.type->expectation());
  }
  return good;
}

std::string table_to_toml(std::span<const Row> rows, void* from) {
  std::string text = "{ ";
  for (const Row& row : rows) {
    const std::string value = row.type->to_toml(row.member(from, {}));
    if (value.empty()) continue;
    if (text.size() > 2) text += ", ";
    text.append(row.key).append(" = ").append(value);
  }
  return text + " }";
}

}  // namespace sallyport::settings::detail
