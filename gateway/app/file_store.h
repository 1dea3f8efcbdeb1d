// Where `sallyport sink --dump DIR` puts its messages: for the nth, n.eml (the content, octet by octet) and n.json
// (envelope).
#pragma once

#include <cstdint>
#include <string>

#include "gateway/app/sink_session.h"

namespace sallyport::app {

class FileStore final : public SinkStore {
 public:
  // `directory` exists; numbers go on where a former sink stopped.
  explicit FileStore(std::string directory);
  Result<Done> store(const SinkMessage& message) override;

 private:
  std::string directory_;
  std::uint64_t number_ = 0;
};

// Stores nothing.
class NoStore final : public SinkStore {
 public:
  Result<Done> store(const SinkMessage&) override { return Done{}; }
};

// A line on stdout for each message, before it goes to the store behind.
class TellingStore final : public SinkStore {
 public:
  explicit TellingStore(SinkStore& behind) : behind_(behind) {}
  Result<Done> store(const SinkMessage& message) override;

 private:
  SinkStore& behind_;
};

}  // namespace sallyport::app
