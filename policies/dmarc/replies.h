// What the DMARC check refuses with.
#pragma once

#include <array>

#include "policies/api/reply_text.h"

namespace sallyport::policies::dmarc_reply {

inline constexpr ReplyText by_policy{
    550, "5.7.1", "Rejected by the DMARC policy of {}",
    "Neither SPF nor DKIM stands for the domain in From, and that domain wants such mail refused.",
    "The sender: sign by DKIM, or send through the domain's own servers; a mailing list has to rewrite From. Here: "
    "policy.dmarc.on_reject, policy.dmarc.exceptions, policy.arc.trusted_sealers."};
inline constexpr ReplyText no_single_author{
    550, "5.6.0", "The message must have one From field with one author domain",
    "There is no From, more than one, or one with authors of several domains: each reader could see another.",
    "The sender: mend the program that writes the mail. Here: the mode of policy.dmarc."};
inline constexpr ReplyText not_known_for_now{
    451, "4.4.3", "The DMARC policy of {} cannot be asked for now",
    "The DNS gives no answer about the domain, where policy.dmarc.on_temperror is \"tempfail\".",
    "The sender: nothing, his server comes again. Here: dns.servers, policy.dmarc.on_temperror."};

inline constexpr std::array all{by_policy, no_single_author, not_known_for_now};

}  // namespace sallyport::policies::dmarc_reply
