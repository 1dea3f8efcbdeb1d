#include "gateway/base/version.h"

namespace sallyport {

std::string_view version() { return SALLYPORT_VERSION; }

}  // namespace sallyport
