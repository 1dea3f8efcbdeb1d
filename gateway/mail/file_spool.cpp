#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "gateway/mail/spool.h"
#include "gateway/mail/unnamed_file.h"

namespace sallyport::mail {

namespace {

Failure failed(const char* doing, int error) {
  return Failure{std::string("cannot ") + doing + " a spool file: " + std::generic_category().message(error)};
}

class UnnamedSpoolFile final : public SpoolFile {
 public:
  explicit UnnamedSpoolFile(Descriptor file) : file_(std::move(file)) {}

  Result<Done> append(std::string_view octets) override {
    while (!octets.empty()) {
      ssize_t written = ::write(file_.get(), octets.data(), octets.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return failed("write", errno);
      octets.remove_prefix(static_cast<std::size_t>(written));
    }
    return Done{};
  }

  Result<Done> read(std::uint64_t offset, std::size_t most, std::string& out) const override {
    out.resize(most);
    std::size_t length = 0;
    while (length < most) {
      ssize_t count = ::pread(file_.get(), out.data() + length, most - length, static_cast<off_t>(offset + length));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return failed("read", errno);
      if (count == 0) break;
      length += static_cast<std::size_t>(count);
    }
    out.resize(length);
    return Done{};
  }

 private:
  Descriptor file_;
};

class FileSpool final : public Spool {
 public:
  explicit FileSpool(std::string directory) : directory_(std::move(directory)) {}

  Result<std::unique_ptr<SpoolFile>> open() override {
    auto file = open_unnamed_file(directory_);
    if (!file) return file.error();
    return std::unique_ptr<SpoolFile>(std::make_unique<UnnamedSpoolFile>(std::move(*file)));
  }

 private:
  std::string directory_;
};

}  // namespace

std::unique_ptr<Spool> make_file_spool(std::string directory) {
  return std::make_unique<FileSpool>(std::move(directory));
}

}  // namespace sallyport::mail
