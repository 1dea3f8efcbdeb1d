// table_list: the type of a value that is a list of tables, `[{ domain = "a.example", reason = "..." }, ...]`, also
// written as [[...]] blocks. The list is one value: it is read, shown, compared and overridden by a tenant as a whole.
//
// What a table may hold are rows like those of a section; keys of tables inside are not needed and not possible.
//
//     constexpr Row exception_rows[] = {
//         row<&DmarcException::domain>("domain", type::domain_pattern, "The author's domain.", {.required = true}), ...
//     };
//     constexpr auto exceptions = table_list<DmarcException, exception_rows>("list of exceptions", "...", "...");
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/settings/row.h"

namespace sallyport::settings {

namespace detail {

// Reads one table into the struct that the rows belong to. False after an error was added.
bool read_table(const Node& table, const Reading& reading, std::span<const Row> rows, void* into);
// "{ domain = "a.example", reason = "..." }".
std::string table_to_toml(std::span<const Row> rows, void* from);

}  // namespace detail

// `schema`: JSON Schema of the whole list.
template <class T, const auto& Rows>
constexpr TypeOf<std::vector<T>> table_list(std::string_view name, std::string_view expected, std::string_view schema) {
  using List = std::vector<T>;
  return TypeOf<List>({name,
                       Form::list,
                       expected,
                       {},
                       schema,
                       [](const Node& node, const Reading& reading, void* value) {
                         if (node.kind != Node::Kind::array) return reading.mismatch(node);
                         List list;
                         bool good = true;
                         for (const Node& item : node.items)
                           good = detail::read_table(item, reading, Rows, &list.emplace_back()) && good;
                         if (!good || !detail::check_length(node, reading, list.size())) return false;
                         return give(std::move(list), value);
                       },
                       [](const void* value) {
                         std::string text = "[";
                         for (T item : *static_cast<const List*>(value)) {  // rows give no way to a const member
                           if (text.size() > 1) text += ", ";
                           text += detail::table_to_toml(Rows, &item);
                         }
                         return text + "]";
                       }});
}

}  // namespace sallyport::settings
