#include "policies/helo/helo.h"

#include <memory>

namespace sallyport::policies {

namespace {

class HeloGathering final : public Gathering {
 public:
  explicit HeloGathering(const OwnNames& own) : own_(own) {}
  Task<void> gather(Stage, const Transaction& mail, Facts& facts, const GatherContext&) override {
    facts.put(HeloFacts{examine_helo(mail.client.helo, mail.client.ip, own_)});
    co_return;
  }

 private:
  const OwnNames& own_;
};

class HeloGatherer final : public Gatherer {
 public:
  explicit HeloGatherer(const OwnNames& own) : own_(own) {}
  bool gathers_at(Stage stage) const override { return stage == Stage::helo; }
  std::unique_ptr<Gathering> begin() const override { return std::make_unique<HeloGathering>(own_); }

 private:
  const OwnNames& own_;
};

Result<std::unique_ptr<Gatherer>> prepare_helo(const void*, const GathererParts& parts) {
  return std::unique_ptr<Gatherer>(std::make_unique<HeloGatherer>(parts.own));
}

}  // namespace

constinit const PolicyEntry helo_entry{
    .name = "helo",
    .settings = helo_section,
    .mode = mode_of<HeloSettings>,
    .facts = helo_facts,
    .prepare = prepare_helo,
    .judge = judge_with<HeloSettings, judge_helo>,
    .explain = explain_with<HeloSettings, explain_helo>,
};

}  // namespace sallyport::policies
