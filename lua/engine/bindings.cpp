#include "lua/engine/bindings.h"

#include <algorithm>

#include "gateway/base/text.h"
#include "lua/engine/binding_list.h"

namespace sallyport::lua {

namespace {

constexpr const Library* all_libraries[] = {
    &rule_library,   &setting_library, &verdict_library, &regex_library, &regex_set_library, &parallel_library,
    &dns_library,    &net_library,     &address_library, &text_library,  &hash_library,      &json_library,
    &memory_library, &log_library,     &list_library,    &http_library,
};

constexpr const ObjectType* all_object_types[] = {
    &transaction_type, &client_type, &tls_type,       &auth_type, &message_type, &part_type,    &url_type,
    &address_type,     &regex_type,  &regex_set_type, &net_type,  &list_type,    &verdict_type,
};

struct Planned {
  std::string_view owner;
  std::string_view name;
};

// What contract.md, section 8 names and this version does not have. A name that is in the table counts as there.
constexpr Planned planned[] = {
    {"sp", "redis"},
    {"part", "has_macros"},
};

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::text:
    case Kind::line:
    case Kind::field_name:
    case Kind::domain:
    case Kind::ip:
      return "string";
    case Kind::integer:
      return "integer";
    case Kind::number:
      return "number";
    case Kind::boolean:
      return "boolean";
    case Kind::list:
    case Kind::table:
    case Kind::dictionary:
      return "table";
    case Kind::function:
      return "function";
    case Kind::any:
      return "any";
  }
  return "any";
}

}  // namespace

std::span<const Library* const> libraries() { return all_libraries; }
std::span<const ObjectType* const> object_types() { return all_object_types; }

const ObjectType* find_object_type(std::string_view name) {
  if (name.ends_with('?')) name.remove_suffix(1);
  for (const ObjectType* type : all_object_types) {
    if (type->name == name) return type;
  }
  return nullptr;
}

std::vector<std::string> names_below(std::string_view owner) {
  std::vector<std::string> names;
  for (const Library* library : all_libraries) {
    if (library->path == owner) {
      for (const Function& function : library->functions) names.emplace_back(function.name);
    } else if (library->path.starts_with(owner) && library->path.substr(owner.size()).starts_with('.')) {
      const std::string_view below = library->path.substr(owner.size() + 1);
      names.emplace_back(below.substr(0, below.find('.')));
    }
  }
  if (const ObjectType* type = find_object_type(owner)) {
    for (const Field& field : type->fields) names.emplace_back(field.name);
    for (const Function& method : type->methods) names.emplace_back(method.name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

bool is_planned(std::string_view owner, std::string_view name) {
  return std::any_of(std::begin(planned), std::end(planned),
                     [&](const Planned& one) { return one.owner == owner && one.name == name; });
}

std::string complaint_about(std::string_view owner, std::string_view member) {
  const std::string full = std::string(owner) + "." + text::printable(member, 64);
  if (is_planned(owner, member)) return full + " is not available in this version";
  const std::vector<std::string> known = names_below(owner);
  const std::string_view near = text::did_you_mean(member, known);
  std::string complaint = full + " does not exist";
  if (!near.empty()) complaint += "; did you mean " + std::string(owner) + "." + std::string(near) + "?";
  return complaint;
}

double most_of(const Argument& argument) {
  if (argument.most != 0) return argument.most;
  switch (argument.kind) {
    case Kind::text:
      return 1 << 20;
    case Kind::line:
      return 1000;
    case Kind::field_name:
    case Kind::domain:
      return 253;
    case Kind::ip:
      return 64;
    case Kind::list:
    case Kind::dictionary:
      return 1000;
    default:
      return Argument::unlimited;
  }
}

std::string type_of(const Argument& argument) {
  if (!argument.type.empty()) return std::string(argument.type);
  if (argument.kind == Kind::list) return std::string(name_of(argument.items)) + "[]";
  if (argument.fields.empty()) return std::string(name_of(argument.kind));
  std::string fields;
  for (const Argument& field : argument.fields) {
    fields += fields.empty() ? "{ " : ", ";
    fields += std::string(field.name) + (field.required ? ": " : "?: ") + type_of(field);
  }
  return fields + " }";
}

}  // namespace sallyport::lua
