#include <gtest/gtest.h>

#include "tests/unit/session/invariants.h"

namespace sallyport::session {

void report_broken_invariant(const std::string& what) { ADD_FAILURE() << what; }

}  // namespace sallyport::session
