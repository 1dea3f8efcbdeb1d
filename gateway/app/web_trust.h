// WebTrust: by which authorities one worker verifies web servers that rules ask. The file is read on the work pool,
// when it is first needed, and again after a reload.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "gateway/async/lock.h"
#include "gateway/tls/context.h"
#include "gateway/uv/loop.h"

namespace sallyport::app {

class WebTrust {
 public:
  explicit WebTrust(uv::Loop& loop) : loop_(loop), reading_(loop.scheduler()) {}

  // Empty: the system's authorities. Null: they cannot be read; the next question tries again.
  Task<std::shared_ptr<const tls::ClientContext>> context(std::string ca_file);
  // What is being read meanwhile is not kept either.
  void forget() {
    contexts_.clear();
    ++reloads_;
  }

 private:
  uv::Loop& loop_;
  std::uint64_t reloads_ = 0;
  async::Lock reading_;  // so that many questions at once read it once
  std::map<std::string, std::shared_ptr<const tls::ClientContext>> contexts_;
};

}  // namespace sallyport::app
