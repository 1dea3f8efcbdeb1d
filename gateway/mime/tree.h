// Tree: all parts of a mail under every plausible reading (threats.md M5, M8), as plain values.
//
// parts[0] is the mail itself; a part stands behind its parent. The parts of the most plausible reading come first, in
// their order in the mail, except for what was found within decoded content; those with is_alternate follow.
//
// A Tree never changes once Analysis has made it, so threads may share it. Rules and lists find it in
// policies::Findings, which facts tell (policies/api/facts.h).
#pragma once

#include <vector>

#include "gateway/mime/limits.h"
#include "gateway/mime/part.h"

namespace sallyport::mime {

struct Tree {
  std::vector<Part> parts;
  Oddities oddities;  // of all parts together
  // Not `no`: some of the mail's parts were not found. Those that were are there.
  Unscannable unscannable = Unscannable::no;

  template <class V>
  void fields(V& visit) {
    visit("unscannable", unscannable);
    visit("oddities", oddities);
    visit("parts", parts);
  }
};

// Whether parts[index] is within parts[ancestor].
bool is_within(const Tree& tree, PartIndex index, PartIndex ancestor);

}  // namespace sallyport::mime
