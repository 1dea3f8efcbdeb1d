// WatchingPolicy: gives no verdict; it records the content of each message as policies see it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "gateway/mail/message.h"
#include "tests/unit/session/invariants.h"
#include "tests/unit/session/test_policy.h"

namespace sallyport::session {

class WatchingPolicy final : public TestPolicy {
 public:
  using Seen = std::map<std::string, SeenMessage, std::less<>>;  // by the transaction's id
  // `seen` must outlive the policy.
  explicit WatchingPolicy(Seen& seen) : seen_(seen) {}

  std::string_view name() const override { return "watching"; }
  bool gathers_at(policies::Stage stage) const override { return stage == policies::Stage::message; }
  std::unique_ptr<policies::Gathering> begin() const override { return std::make_unique<Watching>(seen_); }

 private:
  class Watching final : public policies::Gathering {
   public:
    explicit Watching(Seen& seen) : seen_(seen) {}
    bool wants_body(const policies::Transaction& mail) override {
      header_ = mail.message->header_octets();
      return true;
    }
    void body(std::string_view octets) override { body_ += octets; }
    Task<void> gather(policies::Stage, const policies::Transaction& mail, policies::Facts&,
                      const policies::GatherContext&) override {
      seen_[mail.id] = {header_, body_};
      co_return;
    }

   private:
    Seen& seen_;
    std::string header_;
    std::string body_;
  };

  Seen& seen_;
};

}  // namespace sallyport::session
