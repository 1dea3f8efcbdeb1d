// The store of `sallyport sink --dump DIR`: message n becomes the files n.eml (the content, octet by octet) and n.json
// (the envelope), n with eight digits.
#pragma once

#include <cstdint>
#include <string>

#include "gateway/sink/sink_session.h"

namespace sallyport::sink {

class FileStore final : public SinkStore {
 public:
  // `directory` must exist. Numbering continues after the files that an earlier sink left there.
  explicit FileStore(std::string directory);
  Task<Result<Done>> store(const SinkMessage& message, async::Scheduler& scheduler) override;

 private:
  std::string directory_;
  std::uint64_t number_ = 0;
};

// Stores nothing.
class NoStore final : public SinkStore {
 public:
  Task<Result<Done>> store(const SinkMessage&, async::Scheduler&) override { co_return Done{}; }
};

// Passes each message to the store `behind` and, when it is stored, prints a line about it on stdout.
class TellingStore final : public SinkStore {
 public:
  explicit TellingStore(SinkStore& behind) : behind_(behind) {}
  Task<Result<Done>> store(const SinkMessage& message, async::Scheduler& scheduler) override;

 private:
  SinkStore& behind_;
};

}  // namespace sallyport::sink
