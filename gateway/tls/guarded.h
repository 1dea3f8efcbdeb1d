// guarded(): the body of a callback that OpenSSL calls.
//
// An exception must not pass through OpenSSL's C frames: they would leave locks held and connections half changed. So
// what the body throws (no memory, a broken invariant) becomes the value by which OpenSSL ends the handshake, or the
// operation. What the body leaves in OpenSSL's queue of errors is taken out again: SSL_get_error() would take it for
// the reason why the handshake waits, and the handshake for failed.
#pragma once

#include <openssl/err.h>

namespace sallyport::tls {

template <class Value, class Body>
Value guarded(Value on_exception, Body body) noexcept {
  ERR_set_mark();
  Value value = on_exception;
  try {
    value = body();
  } catch (...) {
    // The value says that it failed; why it did would help nobody at the other end.
  }
  ERR_pop_to_mark();
  return value;
}

}  // namespace sallyport::tls
