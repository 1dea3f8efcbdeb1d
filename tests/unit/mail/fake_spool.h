// A spool in memory that counts what it is asked and fails when told to.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/mail/spool.h"

namespace sallyport::mail {

class FakeSpool final : public Spool {
 public:
  struct Content {
    std::string octets;
    std::vector<std::size_t> writes;
    bool is_open = true;
  };

  Result<std::unique_ptr<SpoolFile>> open() override {
    if (open_fails) return Failure{"no space left"};
    files.push_back(std::make_shared<Content>());
    return std::unique_ptr<SpoolFile>(std::make_unique<File>(files.back(), *this));
  }

  std::vector<std::shared_ptr<Content>> files;
  bool open_fails = false;
  bool append_fails = false;
  bool read_fails = false;
  bool read_is_short = false;

 private:
  class File final : public SpoolFile {
   public:
    File(std::shared_ptr<Content> content, const FakeSpool& spool) : content_(std::move(content)), spool_(spool) {}
    ~File() override { content_->is_open = false; }

    Result<Done> append(std::string_view octets) override {
      if (spool_.append_fails) return Failure{"no space left"};
      content_->octets += octets;
      content_->writes.push_back(octets.size());
      return Done{};
    }
    Result<Done> read(std::uint64_t offset, std::size_t most, std::string& out) const override {
      if (spool_.read_fails) return Failure{"input/output error"};
      out = content_->octets.substr(static_cast<std::size_t>(offset), spool_.read_is_short ? most / 2 : most);
      return Done{};
    }

   private:
    std::shared_ptr<Content> content_;
    const FakeSpool& spool_;
  };
};

}  // namespace sallyport::mail
