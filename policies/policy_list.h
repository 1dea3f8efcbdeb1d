// The list of all policies, including the Lua rules; the only place that names them. A new policy is a folder of its
// own and a line in policy_list.cpp.
#pragma once

#include <span>
#include <string_view>

#include "policies/api/entry.h"

namespace sallyport::policies {

// In the order of their judges, of the log's fields and of Authentication-Results. The entries live as long as the
// program.
std::span<const PolicyEntry* const> policy_list();
// Their names, in the same order.
std::span<const std::string_view> policy_names();

}  // namespace sallyport::policies
