#include "gateway/tls/wire.h"

#include <openssl/bio.h>

#include <algorithm>
#include <cstring>

#include "gateway/base/ensure.h"
#include "gateway/tls/guarded.h"
#include "gateway/tls/openssl.h"

namespace sallyport::tls {

namespace {

Wire& wire_of(BIO* bio) { return *static_cast<Wire*>(BIO_get_data(bio)); }

int read_wire(BIO* bio, char* into, std::size_t octets, std::size_t* got) noexcept {
  Wire& wire = wire_of(bio);
  BIO_clear_retry_flags(bio);
  *got = std::min(octets, wire.input.size());
  if (*got == 0) {
    BIO_set_retry_read(bio);
    return 0;
  }
  std::memcpy(into, wire.input.data(), *got);
  wire.input.remove_prefix(*got);
  wire.taken += *got;
  return 1;
}

// Without memory the write fails, and so does the connection.
int write_wire(BIO* bio, const char* from, std::size_t octets, std::size_t* put) noexcept {
  // The flags of the last read stay otherwise, and SSL_get_error() takes a write that failed for one that is to be
  // tried again when more has arrived.
  BIO_clear_retry_flags(bio);
  *put = 0;
  return guarded(0, [=] {
    wire_of(bio).output.append(from, octets);
    *put = octets;
    return 1;
  });
}

long control_wire(BIO*, int command, long, void*) noexcept { return command == BIO_CTRL_FLUSH ? 1 : 0; }

using OwnedMethod = std::unique_ptr<BIO_METHOD, Freed<BIO_meth_free>>;

OwnedMethod make_method() {
  OwnedMethod method(made(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire")));
  bool complete = BIO_meth_set_read_ex(method.get(), read_wire) == 1 &&
                  BIO_meth_set_write_ex(method.get(), write_wire) == 1 &&
                  BIO_meth_set_ctrl(method.get(), control_wire) == 1;
  ensure(complete, "TLS: the library refuses our BIO method");
  return method;
}

}  // namespace

bio_st* make_bio(Wire& wire) {
  // A constant table of functions, shared by all connections.
  static const OwnedMethod method = make_method();
  BIO* bio = made(BIO_new(method.get()));
  BIO_set_data(bio, &wire);
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace sallyport::tls
