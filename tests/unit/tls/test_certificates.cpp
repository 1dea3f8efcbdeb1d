#include "tests/unit/tls/test_certificates.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "gateway/base/ensure.h"
#include "gateway/tls/openssl.h"

namespace sallyport::tls {

namespace {

OwnedKey make_key(CertificateOrder::Key type) {
  switch (type) {
    case CertificateOrder::Key::ecdsa:
      return OwnedKey(made(EVP_EC_gen("P-256")));
    case CertificateOrder::Key::rsa:
      return OwnedKey(made(EVP_RSA_gen(2048)));
    case CertificateOrder::Key::short_rsa:
      return OwnedKey(made(EVP_RSA_gen(1024)));
  }
  broken("no such type of key");
}

void add_names(X509* certificate, const std::string& name, int others) {
  const auto* octets = reinterpret_cast<const unsigned char*>(name.c_str());
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, octets, -1, -1, 0);
  X509_set_issuer_name(certificate, subject);
  std::string names = "DNS:" + name;
  for (int n = 0; n < others; ++n) names += ",DNS:mx" + std::to_string(n) + ".names.example.test";
  std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>> extension(
      made(X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str())));
  X509_add_ext(certificate, extension.get(), -1);
}

}  // namespace

CertificateFolder::CertificateFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "sallyport-tls-XXXXXX").string();
  ensure(::mkdtemp(pattern.data()) != nullptr, "no folder for certificates");
  folder_ = pattern;
}

CertificateFolder::~CertificateFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

CertificateFiles CertificateFolder::make(const CertificateOrder& order) {
  OwnedKey key = make_key(order.key);
  OwnedCertificate certificate(made(X509_new()));
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), made_ + 1);
  X509_time_adj_ex(X509_getm_notBefore(certificate.get()), order.valid_from_days, 0, nullptr);
  X509_time_adj_ex(X509_getm_notAfter(certificate.get()), order.valid_until_days, 0, nullptr);
  X509_set_pubkey(certificate.get(), key.get());
  add_names(certificate.get(), order.name, order.other_names);
  ensure(X509_sign(certificate.get(), key.get(), EVP_sha256()) != 0, "cannot sign a certificate");

  CertificateFiles files{next_path("chain.pem"), next_path("key.pem")};
  OwnedBio chain(made(BIO_new_file(files.chain.c_str(), "w")));
  PEM_write_bio_X509(chain.get(), certificate.get());
  OwnedBio secret(made(BIO_new_file(files.key.c_str(), "w")));
  ::chmod(files.key.c_str(), 0600);
  PEM_write_bio_PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return files;
}

std::string CertificateFolder::write(const std::string& text) {
  std::string path = next_path("file");
  std::ofstream(path) << text;
  ::chmod(path.c_str(), 0600);
  return path;
}

std::string CertificateFolder::read(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::string CertificateFolder::next_path(const char* ending) {
  return (folder_ / (std::to_string(++made_) + "-" + ending)).string();
}

CommonCertificates& common_certificates() {
  static CommonCertificates certificates;
  return certificates;
}

}  // namespace sallyport::tls
