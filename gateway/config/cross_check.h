// Checks what the check of a single value cannot find: whether the parts of a configuration fit each other.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "gateway/config/collect.h"
#include "gateway/config/config_error.h"
#include "gateway/config/gateway_settings.h"
#include "gateway/config/value_list.h"

namespace sallyport::config {

// Finds the positions at which effective values were given, for error messages.
struct Origins {
  const std::string& file;  // the main file; reported for what is missing
  const Collected& said;
  const ValueList& values;

  // The position of the first of these keys that was given, else the top of the main file.
  Origin of(std::initializer_list<std::string_view> paths) const;
  // True if a key was given under exactly this path.
  bool is_given(std::string_view path) const;
  // The position of one entry of a list.
  Origin of_entry(std::string_view path, std::size_t index) const;
};

void cross_check(const Settings& settings, const Origins& origins, ConfigErrors& errors);

}  // namespace sallyport::config
