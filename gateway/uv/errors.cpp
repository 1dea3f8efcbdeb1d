#include "gateway/uv/errors.h"

#include <uv.h>

namespace sallyport::uv {

io::Error error_of(int code) noexcept {
  switch (code) {
    case UV_EOF:
    case UV_ECANCELED:
      return io::Error::closed;
    case UV_ETIMEDOUT:
      return io::Error::timed_out;
    case UV_ECONNREFUSED:
    case UV_ENOENT:  // a unix-domain socket whose file does not exist
      return io::Error::refused;
    case UV_ENETUNREACH:
    case UV_EHOSTUNREACH:
    case UV_ENETDOWN:
    case UV_EAFNOSUPPORT:
    case UV_EACCES:
    case UV_EINVAL:
      return io::Error::unreachable;
    case UV_EMFILE:
    case UV_ENFILE:
    case UV_ENOMEM:
    case UV_ENOBUFS:
    case UV_EADDRINUSE:
    case UV_EADDRNOTAVAIL:
    case UV_EPERM:   // a packet filter of this host forbids it
    case UV_EAGAIN:  // connect() found no free local port, or the backlog of a unix-domain socket is full
      return io::Error::exhausted;
    default:
      return io::Error::reset;
  }
}

}  // namespace sallyport::uv
