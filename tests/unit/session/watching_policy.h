// A policy that says nothing: it writes down the content of each message as policies get to see it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "gateway/mail/message.h"
#include "policies/api/policy.h"
#include "tests/unit/session/invariants.h"

namespace sallyport::session {

class WatchingPolicy final : public policies::Policy {
 public:
  using Seen = std::map<std::string, SeenMessage, std::less<>>;  // by the message's id
  // `seen` outlives the policy.
  explicit WatchingPolicy(Seen& seen) : seen_(seen) {}

  std::string_view name() const override { return "watching"; }
  policies::Mode mode() const override { return policies::Mode::enforce; }
  bool gathers_at(policies::Stage) const override { return false; }
  bool judges_at(policies::Stage) const override { return false; }
  Task<void> gather(policies::Stage, const policies::Transaction&, policies::Facts&,
                    const policies::Surroundings&) const override {
    co_return;
  }
  policies::Verdict judge(policies::Stage, const policies::Transaction&, const policies::Facts&) const override {
    return policies::Verdict::none();
  }
  std::unique_ptr<policies::BodyObserver> observe_body(const policies::Transaction& mail) const override {
    seen_[mail.id] = {std::string(mail.message->header_octets()), {}};
    return std::make_unique<Observer>(seen_, mail.id);
  }

 private:
  class Observer final : public policies::BodyObserver {
   public:
    Observer(Seen& seen, std::string id) : seen_(seen), id_(std::move(id)) {}
    void body(std::string_view octets) override { body_ += octets; }
    void end(policies::Facts&) override { seen_[id_].body = body_; }

   private:
    Seen& seen_;
    std::string id_;
    std::string body_;
  };

  Seen& seen_;
};

}  // namespace sallyport::session
