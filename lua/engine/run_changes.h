// RunChanges: what one run changes of its mail's header by tx.msg:add_header and the like. Part of the run's result: a
// run that fails has changed nothing.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "policies/api/header_edit.h"

namespace sallyport::lua {

struct RunChanges {
  static constexpr std::size_t most = 50;

  std::vector<std::pair<std::string, std::string>> add_headers;
  std::vector<policies::HeaderEdit> header_edits;

  std::size_t count() const { return add_headers.size() + header_edits.size(); }
};

}  // namespace sallyport::lua
