// Owning pointers for OpenSSL's objects, for the sources of this folder; public headers do not include it.
#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <new>

namespace sallyport::tls {

template <auto free_it>
struct Freed {
  template <class T>
  void operator()(T* object) const noexcept {
    free_it(object);
  }
};

struct FreedStack {
  void operator()(STACK_OF(X509) * certificates) const noexcept { sk_X509_pop_free(certificates, X509_free); }
};

using OwnedSsl = std::unique_ptr<SSL, Freed<SSL_free>>;
using OwnedSslContext = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using OwnedSession = std::unique_ptr<SSL_SESSION, Freed<SSL_SESSION_free>>;
using OwnedCertificate = std::unique_ptr<X509, Freed<X509_free>>;
using OwnedCertificates = std::unique_ptr<STACK_OF(X509), FreedStack>;
using OwnedKey = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using OwnedCipher = std::unique_ptr<EVP_CIPHER, Freed<EVP_CIPHER_free>>;
using OwnedBio = std::unique_ptr<BIO, Freed<BIO_free>>;

// Checks the result of an OpenSSL constructor; null means that memory ran out.
template <class T>
T* made(T* object) {
  if (!object) throw std::bad_alloc();
  return object;
}

}  // namespace sallyport::tls
