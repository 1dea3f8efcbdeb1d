// What the SPF check refuses with (RFC 7208, 8.4 to 8.7; the enhanced codes of RFC 7372, 3.2).
#pragma once

#include <array>

#include "policies/api/reply_text.h"

namespace sallyport::policies::spf_reply {

inline constexpr ReplyText not_allowed{
    550, "5.7.23", "SPF does not allow this client to send for {}",
    "The SPF record of the sender's domain, or of the HELO name, does not name the client's address.",
    "The sender: send through the servers that the record names, or have the record name this one; a forwarder has to "
    "rewrite the sender. Here: policy.spf.on_fail, policy.spf.on_softfail."};
inline constexpr ReplyText not_allowed_for_now{
    451, "4.7.23", "SPF does not allow this client to send for {}",
    "The same, where policy.spf.on_fail or policy.spf.on_softfail is \"tempfail\".",
    "As for 550 5.7.23; the mail may come again meanwhile."};
inline constexpr ReplyText broken_record{550, "5.7.24", "SPF record of {} cannot be evaluated",
                                         "The domain's record is broken, or asks for too many look-ups.",
                                         "The sender's domain: mend the record. Here: policy.spf.on_permerror."};
inline constexpr ReplyText broken_record_for_now{451, "4.7.24", "SPF record of {} cannot be evaluated",
                                                 "The same, where policy.spf.on_permerror is \"tempfail\".",
                                                 "As for 550 5.7.24; the mail may come again meanwhile."};
inline constexpr ReplyText not_checked{
    550, "5.7.24", "SPF of {} could not be checked",
    "The DNS gave no answer about the domain, where policy.spf.on_temperror is \"reject\".",
    "The sender's domain: look at its name servers. Here: dns.servers, policy.spf.on_temperror."};
inline constexpr ReplyText not_checked_for_now{
    451, "4.4.3", "SPF of {} cannot be checked just now", "The DNS gives no answer about the domain.",
    "The sender: nothing, his server comes again. Here: dns.servers, policy.spf.on_temperror."};

inline constexpr std::array all{not_allowed,           not_allowed_for_now, broken_record,
                                broken_record_for_now, not_checked,         not_checked_for_now};

}  // namespace sallyport::policies::spf_reply
