#include "policies/api/body_hashes.h"

namespace sallyport::policies {

namespace {

class BodyHashes final : public BodyObserver {
 public:
  BodyHashes(const std::vector<signature::BodyForm>& forms, std::vector<signature::BodyHash>& (*place)(Facts&))
      : hasher_(forms), place_(place) {}

  void body(std::string_view octets) override { hasher_.feed(octets); }
  void end(Facts& facts) override { place_(facts) = hasher_.finish(); }

 private:
  signature::BodyHasher hasher_;
  std::vector<signature::BodyHash>& (*place_)(Facts&);
};

}  // namespace

std::unique_ptr<BodyObserver> observe_body_hashes(const std::vector<signature::BodyForm>& forms,
                                                  std::vector<signature::BodyHash>& (*place)(Facts&)) {
  if (forms.empty()) return nullptr;
  return std::make_unique<BodyHashes>(forms, place);
}

}  // namespace sallyport::policies
