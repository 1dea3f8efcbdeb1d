#include "gateway/uv/errors.h"

#include <uv.h>

#include "gateway/io/shortage.h"

namespace sallyport::uv {

namespace {

io::Error exhausted(io::Shortage what) noexcept {
  io::note_shortage(what);
  return io::Error::exhausted;
}

}  // namespace

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
      return exhausted(io::Shortage::open_files);
    case UV_ENOMEM:
    case UV_ENOBUFS:
      return exhausted(io::Shortage::memory);
    case UV_EADDRINUSE:
    case UV_EADDRNOTAVAIL:
      return exhausted(io::Shortage::ports);
    case UV_EPERM:
      return exhausted(io::Shortage::packet_filter);
    case UV_EAGAIN:  // the backlog of a unix-domain socket is full
      return exhausted(io::Shortage::unknown);
    default:
      return io::Error::reset;
  }
}

}  // namespace sallyport::uv
