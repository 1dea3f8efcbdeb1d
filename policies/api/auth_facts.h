// Sender authentication: what was found out by SPF, DKIM, ARC, DMARC and the reverse name, with the evidence.
//
// Texts here that come from strangers (domains, selectors, reasons with their names) are validated or printable ASCII:
// they may be written into a header, a log line or an explanation as they are (threats.md D23).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/dns/answer.h"
#include "gateway/signature/body_hash.h"
#include "gateway/signature/signature_field.h"

namespace sallyport::policies {

// The results of RFC 8601, 2.7; each method uses some of them.
enum class AuthResult : std::uint8_t { none, neutral, pass, fail, softfail, policy, temperror, permerror };

std::string_view name(AuthResult result);

// SPF (RFC 7208): the check of one identity.
struct SpfCheck {
  AuthResult result = AuthResult::none;
  std::string domain;  // the one checked, A-labels, lower case
  // The term that decided, as its record has it: "-all", "ip4:192.0.2.0/24". Empty: none matched.
  std::string mechanism;
  std::string problem;      // of temperror and permerror: what was wrong, in words
  std::string explanation;  // the publisher's words on a fail, filtered (D14); never sent to the client as ours
  unsigned lookups = 0;     // terms that asked the DNS (RFC 7208, 4.6.4)
  unsigned void_lookups = 0;
  std::vector<dns::Evidence> evidence;
};

struct SpfFacts {
  using Check = SpfCheck;
  std::optional<Check> helo;      // of the HELO name; nothing when it is not a name that can be checked
  std::optional<Check> mailfrom;  // of the reverse-path; for <> postmaster@HELO (RFC 7208, 2.4)
};

// DKIM (RFC 6376), one entry per signature that was looked at, top to bottom.
struct DkimFacts {
  struct Signature {
    AuthResult result = AuthResult::none;
    std::string reason;            // why it is not a pass: "body hash did not verify", "no key for signature"
    std::string domain;            // d=, A-labels, lower case
    std::string selector;          // s=
    std::string identity;          // i=, or "@" and d=
    std::string algorithm;         // "rsa-sha256"
    std::string b;                 // the first octets of b= that tell it from the others (RFC 6008)
    std::string canonicalization;  // "relaxed/simple"
    unsigned key_bits = 0;
    bool testing = false;     // t=y in the key: as if the mail were not signed
    std::string body_hash;    // computed, base64; empty where it was not reached
    std::string header_hash;  // the same, of the header fields
    // The first 1000 octets of what was hashed, for explain: as they are, with line ends and whatever else is in them.
    std::string header_input_start;
  };
  bool checked = false;  // whether the mail was looked at at all
  std::vector<Signature> signatures;
  std::size_t fields = 0;  // DKIM-Signature fields in the header, looked at or not (D16)
  // What a body observer found. The signatures look into the mail's header, and are gone once they have been verified.
  std::vector<signature::Signature> read;
  std::vector<signature::BodyHash> body_hashes;
  std::vector<dns::Evidence> evidence;
};

// All signatures in one word: pass when one passed, else what the first one came to, none without any.
AuthResult overall(const DkimFacts& facts);

// ARC (RFC 8617).
struct ArcFacts {
  struct Set {
    unsigned instance = 0;
    std::string seal_domain;
    std::string seal_selector;
    std::string message_domain;  // of its ARC-Message-Signature
    std::string cv;
    std::string results;  // its ARC-Authentication-Results without i=, unfolded and filtered
  };
  bool checked = false;
  AuthResult result = AuthResult::none;  // none, pass, fail
  std::string reason;                    // of a fail
  unsigned oldest_pass = 0;              // RFC 8617, 5.2, step 4c; 0: all message signatures verify
  std::vector<Set> sets;                 // 1 to N where the structure is sound
  // The newest set whose sealer is trusted, when the chain passed; 0: none. What its sealer says of the mail as it got
  // it:
  unsigned trusted_instance = 0;
  std::string trusted_sealer;
  AuthResult trusted_dmarc = AuthResult::none;
  std::vector<signature::BodyHash> body_hashes;
  std::vector<dns::Evidence> evidence;
};

// DMARC (RFC 9989).
enum class DmarcDisposition : std::uint8_t { none, quarantine, reject };

std::string_view name(DmarcDisposition policy);

struct DmarcFacts {
  bool checked = false;
  AuthResult result = AuthResult::none;  // none: no record; permerror: none that can be used, or no usable From
  std::string problem;                   // of temperror, permerror
  std::string from_domain;               // the Author Domain
  std::string organizational_domain;
  std::string policy_domain;                            // where the record was found
  std::string record;                                   // its text, filtered
  std::string published;                                // "p", "sp" or "np": the tag that applies
  DmarcDisposition policy = DmarcDisposition::none;     // what that tag says
  DmarcDisposition effective = DmarcDisposition::none;  // after t=y
  bool testing = false;
  bool strict_spf = false;
  bool strict_dkim = false;
  bool spf_aligned = false;  // an aligned pass
  bool dkim_aligned = false;
  std::string aligned_domain;  // of the identifier that passed
  // Identifiers with their organizational domains, those that had to be looked up.
  std::vector<std::pair<std::string, std::string>> organizational_domains;
  // Why less was done than the policy asks for (RFC 9990: local_policy, policy_test_mode, ...), and in words.
  std::string override_reason;
  std::string override_comment;
  std::vector<std::string> report_to;  // rua, as URIs that can be used
  std::vector<dns::Evidence> evidence;
};

// The reverse name, forward-confirmed (RFC 8601, 2.7.3: iprev).
struct RdnsFacts {
  std::optional<AuthResult> result;  // pass, fail, temperror, permerror; nothing when it was not asked for
  std::string name;                  // the confirmed one; else the first that was given
  std::vector<std::string> names;    // as given, at most 10 (D11)
  std::vector<dns::Evidence> evidence;
};

}  // namespace sallyport::policies
