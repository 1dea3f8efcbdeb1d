// What libuv and the kernel call errors, as io::Error.
#pragma once

#include "gateway/io/error.h"

namespace sallyport::uv {

// `code` as libuv gives it: UV_EOF, or a negated errno.
io::Error error_of(int code) noexcept;

}  // namespace sallyport::uv
