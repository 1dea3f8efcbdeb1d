#include "lua/engine/reference.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <string_view>
#include <vector>

#include "gateway/base/text.h"
#include "lua/engine/bindings.h"

namespace sallyport::lua {

namespace {

std::string number_text(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.14g", number);
  return text;
}

// What else holds for an argument: "at most 400 octets", "500 to 599".
std::string bounds_of(const Argument& argument) {
  const double most = most_of(argument);
  switch (argument.kind) {
    case Kind::integer:
    case Kind::number:
      if (most == Argument::unlimited) return {};
      return number_text(argument.least) + " to " + number_text(most);
    case Kind::text:
      return most == 1 << 20 ? "at most 1 MiB" : "at most " + number_text(most) + " octets";
    case Kind::line:
      return "at most " + number_text(most) + " octets, no control characters";
    case Kind::field_name:
      return "name of a header field";
    case Kind::domain:
      return "domain name";
    case Kind::ip:
      return "IP address";
    case Kind::list:
      return "at most " + number_text(most) + " entries";
    default:
      return {};
  }
}

// A cell of a table in Markdown.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string call_of(std::string_view owner, const Function& function, char joint) {
  std::string call = std::string(owner) + joint + std::string(function.name) + "(";
  std::string end;
  bool is_first = true;
  for (const Argument& argument : arguments_of(function)) {
    if (!argument.required) {
      call += is_first ? "[" : " [";
      end += "]";
    }
    if (!is_first) call += ", ";
    is_first = false;
    call += argument.name;
  }
  return call + end + ")";
}

void add_arguments(std::string& page, std::span<const Argument> arguments, std::string_view prefix) {
  for (const Argument& argument : arguments) {
    const std::string name = std::string(prefix) + std::string(argument.name);
    std::string type = argument.fields.empty() ? type_of(argument) : "table";
    if (!argument.required) type += "?";
    page += "| `" + name + "` | `" + cell(type) + "` | " + cell(argument.about);
    if (const std::string bounds = bounds_of(argument); !bounds.empty() && argument.type.empty())
      page += (argument.about.empty() ? "" : " ") + ("(" + bounds + ")");
    page += " |\n";
    add_arguments(page, argument.fields, name + ".");
  }
}

void add_function(std::string& page, std::string_view owner, const Function& function, char joint) {
  page += "#### `" + call_of(owner, function, joint) + "`\n\n" + std::string(function.about) + "\n";
  if (function.waits) page += "\nThe rule waits for the answer.\n";
  if (!arguments_of(function).empty()) {
    page += "\n| argument | type | |\n|---|---|---|\n";
    add_arguments(page, arguments_of(function), "");
  }
  if (!returns_of(function).empty()) {
    page += "\nGives ";
    bool is_first = true;
    for (const Returned& returned : returns_of(function)) {
      if (!is_first) page += "; ";
      is_first = false;
      page += "`" + std::string(returned.name) + "` (`" + std::string(returned.type) + "`)";
      if (!returned.about.empty()) page += ": " + std::string(returned.about);
    }
    page += ".\n";
  }
  page += "\n";
}

void add_type(std::string& page, const ObjectType& type) {
  page += "### " + std::string(type.name) + "\n\n" + std::string(type.about) + "\n\n";
  if (!type.fields.empty()) {
    page += "| field | type | |\n|---|---|---|\n";
    for (const Field& field : type.fields) {
      page += "| `" + std::string(type.name) + "." + std::string(field.name) + "` | `" + cell(field.type) + "` | " +
              cell(field.about) + " |\n";
    }
    page += "\n";
  }
  for (const Function& method : type.methods) add_function(page, type.name, method, ':');
}

std::vector<std::string_view> paths() {
  std::vector<std::string_view> all;
  for (const Library* library : libraries()) {
    if (std::find(all.begin(), all.end(), library->path) == all.end()) all.push_back(library->path);
  }
  return all;
}

// -- stubs

bool is_word(char c) { return text::is_alnum(c) || c == '_' || c == '.'; }

// Object types get the name of their class; "name:" in a type is the name of a field or parameter, and stays.
std::string stub_type(std::string_view type) {
  std::string result;
  for (std::size_t i = 0; i < type.size();) {
    if (!is_word(type[i])) {
      result += type[i++];
      continue;
    }
    const std::size_t start = i;
    while (i < type.size() && is_word(type[i])) ++i;
    std::string_view word = type.substr(start, i - start);
    const bool is_name = type.substr(i).starts_with(':') || type.substr(i).starts_with("?:");
    if (!is_name && find_object_type(word)) result += "sallyport.";
    result += word;
  }
  return result;
}

void add_stub(std::string& stubs, const std::string& owner, const Function& function, char joint) {
  stubs += "---" + std::string(function.about) + "\n";
  std::string names;
  for (const Argument& argument : arguments_of(function)) {
    stubs += "---@param " + std::string(argument.name) + (argument.required ? " " : "? ") +
             stub_type(type_of(argument)) + (argument.about.empty() ? "" : " " + std::string(argument.about)) + "\n";
    names += (names.empty() ? "" : ", ") + std::string(argument.name);
  }
  for (const Returned& returned : returns_of(function)) {
    std::string_view type = returned.type;
    const bool is_open = type.ends_with("...");
    if (is_open) type.remove_suffix(3);
    stubs += "---@return " + stub_type(type) + " " + (is_open ? "..." : std::string(returned.name));
    if (!returned.about.empty()) stubs += " # " + std::string(returned.about);
    stubs += "\n";
  }
  stubs += "function " + owner + joint + std::string(function.name) + "(" + names + ") end\n\n";
}

void add_class(std::string& stubs, const ObjectType& type) {
  stubs += "---" + std::string(type.about) + "\n---@class sallyport." + std::string(type.name) + "\n";
  for (const Field& field : type.fields) {
    stubs +=
        "---@field " + std::string(field.name) + " " + stub_type(field.type) + " " + std::string(field.about) + "\n";
  }
  std::string local(type.name);
  std::replace(local.begin(), local.end(), '.', '_');
  stubs += "local " + local + " = {}\n\n";
  for (const Function& method : type.methods) add_stub(stubs, local, method, ':');
}

}  // namespace

std::string reference_page() {
  std::string page =
      "# What rules can call and read\n\n"
      "Written by `sallyport rule reference` from the table that the engine itself works by; README.md is the guide. A "
      "`?` after a type: it may be nil. An argument of another type, a text or list that is too long, a field that a "
      "table should not have and an argument too many are errors.\n\n## Functions\n\n";
  for (const std::string_view path : paths()) {
    page += "### " + std::string(path) + "\n\n";
    for (const Library* library : libraries()) {
      if (library->path != path) continue;
      if (path != "sp") page += std::string(library->about) + "\n\n";
      for (const Function& function : library->functions) add_function(page, path, function, '.');
    }
  }
  page += "## Objects\n\n";
  for (const ObjectType* type : object_types()) add_type(page, *type);
  while (page.ends_with("\n\n")) page.pop_back();
  return page;
}

std::string editor_stubs() {
  std::string stubs =
      "---@meta sallyport\n"
      "-- For editors with the Lua language server; written by `sallyport rule stubs`. It is not read by the "
      "gateway.\n\n";
  for (const ObjectType* type : object_types()) add_class(stubs, *type);
  stubs += "---@class sallyport\nlocal sp = {}\n\n";
  for (const std::string_view path : paths()) {
    if (path != "sp") stubs += std::string(path) + " = {}\n\n";
    for (const Library* library : libraries()) {
      if (library->path != path) continue;
      for (const Function& function : library->functions) add_stub(stubs, std::string(path), function, '.');
    }
  }
  return stubs + "return sp\n";
}

}  // namespace sallyport::lua
