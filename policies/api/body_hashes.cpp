#include "policies/api/body_hashes.h"

#include <utility>

namespace sallyport::policies {

namespace {

class BodyHashes final : public BodyObserver {
 public:
  BodyHashes(const std::vector<signature::BodyForm>& forms, KeepBodyHashes keep)
      : hasher_(forms), keep_(std::move(keep)) {}

  void body(std::string_view octets) override { hasher_.feed(octets); }
  void end(Facts& facts) override { keep_(facts, hasher_.finish()); }

 private:
  signature::BodyHasher hasher_;
  KeepBodyHashes keep_;
};

}  // namespace

std::unique_ptr<BodyObserver> observe_body_hashes(const std::vector<signature::BodyForm>& forms, KeepBodyHashes keep) {
  if (forms.empty()) return nullptr;
  return std::make_unique<BodyHashes>(forms, std::move(keep));
}

}  // namespace sallyport::policies
