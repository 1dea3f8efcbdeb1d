#include "gateway/app/version.h"

namespace sallyport::app {

std::string_view version() { return SALLYPORT_VERSION; }

}  // namespace sallyport::app
