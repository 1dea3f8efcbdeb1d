#include "gateway/tls/certificate.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "gateway/tls/error.h"

namespace sallyport::tls {

namespace {

constexpr std::size_t max_file_octets = 1u << 20;  // a chain is a few KiB; a larger file is something else

class File {
 public:
  explicit File(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

// A string that is wiped when destroyed; holds the text of a private key.
class Secret {
 public:
  Secret() = default;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { OPENSSL_cleanse(text.data(), text.size()); }
  std::string text;
};

Failure cannot_read(const std::string& path, int error) {
  // Somebody has named the file where its directory belongs.
  if (error == ENOTDIR)
    return Failure{std::filesystem::path(path).parent_path().string() +
                   " is a file: name the directory that fullchain.pem and privkey.pem are in, or both files, as in "
                   "{ chain = \"...\", key = \"...\" }"};
  return Failure{path + ": cannot be read: " + std::strerror(error)};
}

// Reads the file into `text`. The memory is allocated once: growing it would leave copies of a key behind.
Result<Done> read_all(int fd, const std::string& path, const struct stat& status, std::string& text) {
  if (!S_ISREG(status.st_mode)) return Failure{path + ": is not a file"};
  if (status.st_size < 0 || static_cast<std::uint64_t>(status.st_size) > max_file_octets) {
    return Failure{path + ": is too large for a certificate or a key"};
  }
  text.resize(static_cast<std::size_t>(status.st_size));
  std::size_t got = 0;
  while (got < text.size()) {
    ssize_t n = ::read(fd, text.data() + got, text.size() - got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return cannot_read(path, errno);
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  text.resize(got);
  return Done{};
}

std::string octal(unsigned mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode);
  return text.data();
}

Result<Done> check_key_mode(const std::string& path, const struct stat& status) {
  unsigned mode = status.st_mode & 07777u;
  unsigned unwanted = mode & (S_IRWXO | S_IWGRP);
  if (!unwanted) return Done{};
  std::string what = (mode & S_IRWXO) ? "open to others" : "writable by its group";
  std::string cure = octal(mode & 0640u);
  return Failure{path + ": the private key is " + what + " (mode " + octal(mode) + "); cure it with: chmod " + cure +
                 " " + path + " (a mounted secret: give it mode " + octal(mode & 0440u) + ")"};
}

WallTime to_wall_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return WallTime{};
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

// Otherwise OpenSSL would ask for the password of an encrypted key at the terminal.
int no_password(char*, int, int, void*) { return -1; }

Result<Done> read_chain(const std::string& path, Certificate& into) {
  File file(path);
  struct stat status {};
  if (file.fd() < 0 || ::fstat(file.fd(), &status) != 0) return cannot_read(path, errno);
  std::string text;
  if (auto read = read_all(file.fd(), path, status, text); !read) return read.error();

  ERR_clear_error();
  OwnedBio source(made(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))));
  into.leaf.reset(PEM_read_bio_X509_AUX(source.get(), nullptr, no_password, nullptr));
  if (!into.leaf) return Failure{path + ": no certificate in it: " + describe_tls_error()};
  into.chain.reset(made(sk_X509_new_null()));
  while (X509* next = PEM_read_bio_X509(source.get(), nullptr, no_password, nullptr)) {
    if (sk_X509_push(into.chain.get(), next) == 0) {
      X509_free(next);
      throw std::bad_alloc();
    }
  }
  // The last read ends with "no start line"; any other error means a broken block.
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
    return Failure{path + ": broken: " + describe_tls_error()};
  }
  ERR_clear_error();
  return Done{};
}

Result<Done> read_key(const std::string& path, Certificate& into) {
  File file(path);
  struct stat status {};
  if (file.fd() < 0 || ::fstat(file.fd(), &status) != 0) return cannot_read(path, errno);
  // fstat of the open file: the name could refer to another file by now.
  if (auto mode = check_key_mode(path, status); !mode) return mode.error();
  Secret secret;
  if (auto read = read_all(file.fd(), path, status, secret.text); !read) return read.error();

  ERR_clear_error();
  OwnedBio source(made(BIO_new_mem_buf(secret.text.data(), static_cast<int>(secret.text.size()))));
  into.key.reset(PEM_read_bio_PrivateKey(source.get(), nullptr, no_password, nullptr));
  if (into.key) return Done{};
  if (secret.text.find("ENCRYPTED") != std::string::npos) {
    ERR_clear_error();
    return Failure{path + ": the private key is encrypted; store it without a password, readable only by its owner"};
  }
  return Failure{path + ": no private key in it: " + describe_tls_error()};
}

}  // namespace

Result<Certificate> load_certificate(const CertificateFiles& files) {
  Certificate certificate;
  certificate.file = files.chain;
  if (auto chain = read_chain(files.chain, certificate); !chain) return chain.error();
  if (auto key = read_key(files.key, certificate); !key) return key.error();
  if (X509_check_private_key(certificate.leaf.get(), certificate.key.get()) != 1) {
    ERR_clear_error();
    return Failure{files.key + ": this private key does not belong to the certificate in " + files.chain};
  }
  certificate.valid_from = to_wall_time(X509_get0_notBefore(certificate.leaf.get()));
  certificate.valid_until = to_wall_time(X509_get0_notAfter(certificate.leaf.get()));
  return certificate;
}

}  // namespace sallyport::tls
