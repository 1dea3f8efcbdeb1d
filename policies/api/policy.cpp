#include "policies/api/policy.h"

namespace sallyport::policies {

Task<void> Policy::self_test(Surroundings) const { co_return; }

}  // namespace sallyport::policies
