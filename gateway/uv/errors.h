// Translates error codes of libuv and the kernel into io::Error.
#pragma once

#include "gateway/io/error.h"

namespace sallyport::uv {

// `code` is libuv's: UV_EOF or a negated errno. Codes without an entry of their own become `reset`.
// For `exhausted`, what is short is noted (io/shortage.h).
io::Error error_of(int code) noexcept;

}  // namespace sallyport::uv
