// The rules that come with the program, lua/rules: their text is part of it, so that a configuration can switch them on
// by name wherever the program was installed to. CMake writes shipped_rules.cpp from the files.
#pragma once

#include <span>
#include <string_view>

namespace sallyport::lua {

struct ShippedRule {
  std::string_view name;    // "EXTERNAL_TAG"; that of its rule
  std::string_view file;    // "external_tag.lua"
  std::string_view source;  // the file's text
};

// By name.
std::span<const ShippedRule> shipped_rules();

}  // namespace sallyport::lua
