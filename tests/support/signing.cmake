# Keys of tests, and mail that is signed with them.
sallyport_library(support_signing
  SOURCES signing_keys.cpp
  LINKS crypto base
  PRIVATE_LINKS OpenSSL::Crypto)
