#include "gateway/signature/body_hash.h"

#include <algorithm>
#include <utility>

namespace sallyport::signature {

// One canonicalization and its digest, with marks at the requested lengths.
class BodyHasher::Way final : public OctetSink {
 public:
  explicit Way(Canonicalization how)
      : how_(how), canonicalizer_(how, *this), digest_(crypto::DigestAlgorithm::sha256) {}

  Canonicalization canonicalization() const { return how_; }
  void ask_for(std::optional<std::uint64_t> length) {
    if (!length) {
      whole_ = true;
    } else if (std::find(marks_.begin(), marks_.end(), *length) == marks_.end()) {
      marks_.push_back(*length);
    }
  }
  void start() { std::sort(marks_.begin(), marks_.end()); }
  void feed(std::string_view octets) { canonicalizer_.feed(octets); }

  void take(std::string_view octets) override {
    canonical_octets_ += octets.size();
    while (found_.size() < marks_.size() && hashed_ + octets.size() >= marks_[found_.size()]) {
      const auto part = static_cast<std::size_t>(marks_[found_.size()] - hashed_);
      hash(octets.substr(0, part));
      octets.remove_prefix(part);
      found_.push_back(digest_.so_far());
    }
    if (whole_ || found_.size() < marks_.size()) hash(octets);
  }

  void finish(std::vector<BodyHash>& out) {
    canonicalizer_.end();
    // For l=0 with an empty body: no octets came, but the mark at 0 is reached.
    take({});
    for (std::size_t i = 0; i < marks_.size(); ++i)
      out.push_back({{how_, marks_[i]}, i < found_.size() ? found_[i] : std::string(), canonical_octets_});
    if (whole_) out.push_back({{how_, std::nullopt}, digest_.finish(), canonical_octets_});
  }

 private:
  void hash(std::string_view octets) {
    digest_.update(octets);
    hashed_ += octets.size();
  }

  Canonicalization how_;
  BodyCanonicalizer canonicalizer_;
  crypto::Digest digest_;
  std::uint64_t canonical_octets_ = 0;
  std::uint64_t hashed_ = 0;
  bool whole_ = false;
  std::vector<std::uint64_t> marks_;
  std::vector<std::string> found_;  // digests at the marks reached so far
};

BodyHasher::BodyHasher(const std::vector<BodyForm>& forms) {
  for (const BodyForm& form : forms) {
    auto way = std::find_if(ways_.begin(), ways_.end(),
                            [&form](const auto& known) { return known->canonicalization() == form.canonicalization; });
    if (way == ways_.end()) way = ways_.insert(way, std::make_unique<Way>(form.canonicalization));
    (*way)->ask_for(form.length);
  }
  for (const auto& way : ways_) way->start();
}

BodyHasher::BodyHasher(BodyHasher&&) noexcept = default;
BodyHasher& BodyHasher::operator=(BodyHasher&&) noexcept = default;
BodyHasher::~BodyHasher() = default;

void BodyHasher::feed(std::string_view octets) {
  for (const auto& way : ways_) way->feed(octets);
}

std::vector<BodyHash> BodyHasher::finish() {
  std::vector<BodyHash> hashes;
  for (const auto& way : ways_) way->finish(hashes);
  return hashes;
}

BodyHash hash_body(std::string_view body, const BodyForm& form) {
  BodyHasher hasher({form});
  hasher.feed(body);
  return hasher.finish().front();
}

}  // namespace sallyport::signature
