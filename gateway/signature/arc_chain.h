// ArcChain: the ARC sets of a mail (RFC 8617, 4): which fields belong together, and whether they form a chain. No
// signature is verified here.
//
// The fields are untrusted: at most 50 sets, counted before anything else (threats.md D22); linear.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/mail/header.h"
#include "gateway/signature/signature_field.h"

namespace sallyport::signature {

inline constexpr unsigned max_arc_instance = 50;

// cv=: the sealer's finding about the chain as it received it.
enum class ChainValidation : std::uint8_t { none, pass, fail };

std::string_view name(ChainValidation validation);

struct ArcSet {
  unsigned instance = 0;
  const mail::HeaderField* results_field = nullptr;  // ARC-Authentication-Results
  const mail::HeaderField* message_field = nullptr;  // ARC-Message-Signature
  const mail::HeaderField* seal_field = nullptr;     // ARC-Seal
  std::string_view results;                          // the text of results_field after its "i=N;"
  Signature message;                                 // from message_field; its problem matters only in the newest set
  Signature seal;                                    // a= b= d= s= t= of seal_field, or its problem
  ChainValidation validation = ChainValidation::none;
};

struct ArcChain {
  std::string_view problem;  // why the chain cannot be valid, in our own words; empty if no reason was found yet
  std::vector<ArcSet> sets;  // instances 1 to N; empty if there are none or the sets are incomplete
  unsigned highest = 0;      // highest instance of any field, for the next sealer; at most 51
  bool ended = false;        // the newest seal says cv=fail: no set may be added (RFC 8617, 5.1)
};

// Reads the ARC fields of a header section, which must outlive the result.
ArcChain read_arc_chain(const mail::HeaderSection& section);

// The input of the seal of sets[of] (RFC 8617, 5.1.1): the fields of all sets up to it, with the seal's own b= empty.
// `prefix` carries the part common to all seals from call to call: it must be empty for the first set, and the sets
// must be asked for in order.
std::string seal_input(const std::vector<ArcSet>& sets, std::size_t of, std::string& prefix);
// Appends one ARC field in the form that seals cover; for sealers.
void append_arc_field(std::string& out, const mail::HeaderField& field);

}  // namespace sallyport::signature
