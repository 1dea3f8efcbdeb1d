// Certificates for tests, made on the spot and removed with their folder.
#pragma once

#include <filesystem>
#include <string>

#include "gateway/tls/settings.h"

namespace sallyport::tls {

struct CertificateOrder {
  enum class Key { ecdsa, rsa, short_rsa };
  std::string name = "mx.example.test";  // also the only name it is good for
  Key key = Key::ecdsa;
  int valid_from_days = -1;  // from now
  int valid_until_days = 30;
  int other_names = 0;  // so many more, to make it large
};

class CertificateFolder {
 public:
  CertificateFolder();
  CertificateFolder(const CertificateFolder&) = delete;
  CertificateFolder& operator=(const CertificateFolder&) = delete;
  ~CertificateFolder();

  // Self-signed, so that its chain file is also the authority to trust.
  CertificateFiles make(const CertificateOrder& order = {});
  // A file with this content; gives its path.
  std::string write(const std::string& text);
  static std::string read(const std::string& path);

 private:
  std::string next_path(const char* ending);

  std::filesystem::path folder_;
  int made_ = 0;
};

// Made once for all tests that need nothing special: making an RSA key takes a while.
struct CommonCertificates {
  CertificateFolder folder;
  CertificateFiles ecdsa = folder.make();
  CertificateFiles rsa = folder.make({.key = CertificateOrder::Key::rsa});
};
CommonCertificates& common_certificates();

}  // namespace sallyport::tls
