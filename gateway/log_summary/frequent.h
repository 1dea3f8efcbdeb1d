// Frequent: counts texts of which there may be any number, and knows the most frequent ones, in bounded memory.
//
// Up to `capacity` texts are counted exactly. When twice as many are known, the rarer half is forgotten. From then on a
// count may be too small, by at most missing(): who sends mail from a million addresses cannot fill the memory, nor
// push a text out of the list that is more frequent than that.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sallyport::log_summary {

struct Counted {
  std::string name;
  std::uint64_t count = 0;

  template <class V>
  void fields(V& visit) {
    visit("name", name);
    visit("count", count);
  }
};

class Frequent {
 public:
  explicit Frequent(std::size_t capacity) : capacity_(capacity) {}

  // Of a text only its first 256 octets count.
  void add(std::string_view text, std::uint64_t count = 1) {
    if (count == 0) return;
    counts_[std::string(text.substr(0, 256))] += count;
    if (counts_.size() >= 2 * capacity_) forget_the_rarer_half();
  }

  // The most frequent ones, first the most frequent; equally frequent ones in the order of their texts.
  std::vector<Counted> top(std::size_t most) const {
    std::vector<Counted> all;
    all.reserve(counts_.size());
    for (const auto& [name, count] : counts_) all.push_back({name, count});
    const std::size_t kept = std::min(most, all.size());
    std::partial_sort(
        all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end(),
        [](const Counted& a, const Counted& b) { return a.count != b.count ? a.count > b.count : a.name < b.name; });
    all.resize(kept);
    return all;
  }

  std::size_t size() const { return counts_.size(); }
  // By so much a count may be too small.
  std::uint64_t missing() const { return missing_; }

 private:
  void forget_the_rarer_half() {
    std::vector<std::uint64_t> counts;
    counts.reserve(counts_.size());
    for (const auto& [name, count] : counts_) counts.push_back(count);
    const auto middle = counts.begin() + static_cast<std::ptrdiff_t>(counts.size() - capacity_);
    std::nth_element(counts.begin(), middle, counts.end());
    // All that are rarer than the one in the middle, and of those as rare as it as many as are too many.
    const std::uint64_t limit = *middle;
    std::size_t to_forget = counts_.size() - capacity_;
    std::erase_if(counts_, [&](const auto& one) {
      const bool is_rarer = one.second < limit;
      if (is_rarer) --to_forget;
      return is_rarer;
    });
    std::erase_if(counts_, [&](const auto& one) {
      if (to_forget == 0 || one.second != limit) return false;
      --to_forget;
      return true;
    });
    missing_ += limit;
  }

  std::size_t capacity_;
  std::uint64_t missing_ = 0;
  std::unordered_map<std::string, std::uint64_t> counts_;
};

}  // namespace sallyport::log_summary
