// The ARC sets of a mail (RFC 8617, 4): which fields belong together, and whether they make a chain.
//
// Octets of a stranger: bounded (at most 50 sets, counted before anything else is done; threats.md D22), linear.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/mail/header.h"
#include "gateway/signature/signature_field.h"

namespace sallyport::signature {

inline constexpr unsigned max_arc_instance = 50;

// cv=: what the sealer found of the chain as it got it.
enum class ChainValidation : std::uint8_t { none, pass, fail };

std::string_view name(ChainValidation validation);

struct ArcSet {
  unsigned instance = 0;
  const mail::HeaderField* results_field = nullptr;  // ARC-Authentication-Results
  const mail::HeaderField* message_field = nullptr;  // ARC-Message-Signature
  const mail::HeaderField* seal_field = nullptr;     // ARC-Seal
  std::string_view results;                          // of results_field: what follows its "i=N;"
  Signature message;  // of message_field; its problem may not matter where it is not the newest
  Signature seal;     // a= b= d= s= t= of seal_field, and its problem
  ChainValidation validation = ChainValidation::none;
};

struct ArcChain {
  std::string_view problem;  // why it cannot be valid; empty when nothing speaks against it yet. Text of ours
  std::vector<ArcSet> sets;  // 1 to N; empty where there are none, or where they are not whole
  unsigned highest = 0;      // the highest instance that any field has, for the next sealer; at most 51
  bool ended = false;        // the newest seal says cv=fail: nobody may add to it (RFC 8617, 5.1)
};

// The section outlives the chain.
ArcChain read_arc_chain(const mail::HeaderSection& section);

// Appends what the seal of sets[of] is made of (RFC 8617, 5.1.1): the fields of all sets up to it, the seal itself
// without its b=. `prefix` carries the part that the seals have in common from one call to the next: it is empty for
// the first set, and the sets are asked for in their order.
std::string seal_input(const std::vector<ArcSet>& sets, std::size_t of, std::string& prefix);
// The same of fields that stand on their own: one set's, as a sealer adds them.
void append_arc_field(std::string& out, const mail::HeaderField& field);

}  // namespace sallyport::signature
