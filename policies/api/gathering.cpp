#include "policies/api/gathering.h"

namespace sallyport::policies {

Task<void> Gatherer::self_test(GatherContext) const { co_return; }

}  // namespace sallyport::policies
