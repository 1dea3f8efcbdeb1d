// Descriptor under this folder's namespace.
#pragma once

#include "gateway/base/descriptor.h"

namespace sallyport::uv {

using sallyport::Descriptor;

}  // namespace sallyport::uv
