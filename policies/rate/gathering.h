// RateGathering: takes from the allowances that a connection or mail uses, and gives back what was taken for a
// recipient that was not accepted.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/io/rate_store.h"
#include "policies/api/gathering.h"
#include "policies/rate/facts.h"
#include "policies/rate/settings.h"

namespace sallyport::policies {

class RateGathering final : public Gathering {
 public:
  // `owner` is the tenant whose own the settings are, or nobody. All of it outlives the gathering.
  RateGathering(const RateSettings& settings, std::string_view owner, io::RateStore& store)
      : settings_(settings), owner_(owner), store_(store) {}
  RateGathering(const RateGathering&) = delete;
  RateGathering& operator=(const RateGathering&) = delete;
  // Gives back what was taken for a recipient whose answer never came.
  ~RateGathering() override { give_back(); }

  // Takes one of each rate that applies, up to the first that is used up. Of a recipient that the mail has named before
  // nothing is taken.
  Task<void> gather(Stage stage, const Transaction& mail, Facts& facts, const GatherContext& context) override;
  void recipient_answered(bool accepted) override;

 private:
  struct Taken {
    std::string key;
    Rate rate;
  };

  Task<void> take(RateFact& wanted, const GatherContext& context);
  void give_back() noexcept;

  const RateSettings& settings_;
  const std::string_view owner_;
  io::RateStore& store_;
  // Of the stages before rcpt. A tenant's first recipient may be refused and its facts be given up with it: the mail is
  // not counted once more for the next one.
  std::vector<RateFact> earlier_;
  std::string recipient_;             // the one being decided
  std::vector<Taken> for_recipient_;  // what was taken for it
  std::set<std::string> recipients_;  // those accepted, each counted
};

}  // namespace sallyport::policies
