#include "gateway/base/literal_search.h"

#include "gateway/base/text.h"

namespace sallyport {

Result<LiteralSearch> LiteralSearch::of(const std::vector<std::string>& literals, std::size_t most_octets) {
  LiteralSearch made;
  made.count_ = literals.size();
  std::size_t octets = 0;
  for (const std::string& literal : literals) {
    octets += literal.size();
    for (const char c : literal) {
      std::uint8_t& known = made.class_of_[static_cast<unsigned char>(text::lower(c))];
      if (known == 0) known = static_cast<std::uint8_t>(made.classes_++);
    }
  }
  for (int c = 'A'; c <= 'Z'; ++c) {
    made.class_of_[static_cast<std::size_t>(c)] =
        made.class_of_[static_cast<std::size_t>(text::lower(static_cast<char>(c)))];
  }
  if ((octets + 1) * (made.classes_ + 2) * sizeof(std::uint32_t) > most_octets) return Failure{"too many literals"};

  // The tree of the literals. State 0 is its root.
  const std::size_t classes = made.classes_;
  std::vector<std::uint32_t>& next = made.next_;
  next.assign(classes, none);
  made.ends_.assign(1, none);
  for (std::size_t i = 0; i < literals.size(); ++i) {
    std::uint32_t state = 0;
    for (const char c : literals[i]) {
      const std::size_t at = state * classes + made.class_of_[static_cast<unsigned char>(c)];
      if (next[at] == none) {
        next[at] = static_cast<std::uint32_t>(made.ends_.size());
        next.resize(next.size() + classes, none);
        made.ends_.push_back(none);
      }
      state = next[at];
    }
    if (state == 0) continue;
    if (made.ends_[state] == none) {
      made.ends_[state] = static_cast<std::uint32_t>(made.literals_.size());
      made.literals_.emplace_back();
    }
    made.literals_[made.ends_[state]].push_back(static_cast<int>(i));
  }

  // Where to go on when an octet does not fit: at the longest suffix that is a beginning, too. Breadth first.
  std::vector<std::uint32_t> suffix(made.ends_.size(), 0);
  made.shorter_.assign(made.ends_.size(), none);
  std::vector<std::uint32_t> states{0};
  for (std::size_t i = 0; i < states.size(); ++i) {
    const std::uint32_t state = states[i];
    for (std::size_t c = 0; c < classes; ++c) {
      std::uint32_t& target = next[state * classes + c];
      const std::uint32_t other = state == 0 ? 0 : next[suffix[state] * classes + c];
      if (target == none) {
        target = other;
        continue;
      }
      suffix[target] = other;
      made.shorter_[target] = made.ends_[other] != none ? other : made.shorter_[other];
      states.push_back(target);
    }
  }
  // Rows instead of states, which saves a multiplication for each octet.
  for (std::uint32_t& state : next) state *= static_cast<std::uint32_t>(classes);
  return made;
}

std::vector<int> LiteralSearch::found_in(std::string_view text) const {
  std::vector<int> found;
  std::vector<bool> is_known(ends_.size());
  std::uint32_t row = 0;
  const auto classes = static_cast<std::uint32_t>(classes_);
  for (const char c : text) {
    row = next_[row + class_of_[static_cast<unsigned char>(c)]];
    if (row == 0) continue;
    std::uint32_t state = row / classes;
    if (ends_[state] == none) state = shorter_[state];
    for (; state != none && !is_known[state]; state = shorter_[state]) {
      is_known[state] = true;
      const std::vector<int>& literals = literals_[ends_[state]];
      found.insert(found.end(), literals.begin(), literals.end());
    }
  }
  return found;
}

}  // namespace sallyport
