#include "gateway/milter/changes.h"

namespace sallyport::milter {

template void apply_changes<HeaderField>(const std::vector<HeaderChange>& changes, std::vector<HeaderField>& fields);

}  // namespace sallyport::milter
