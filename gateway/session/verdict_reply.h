// What a verdict, or an upstream's failure, sounds like in SMTP (contract.md, section 4; threats.md, section 4).
#pragma once

#include <string_view>

#include "gateway/session/incident.h"
#include "gateway/session/upstream_channel.h"
#include "gateway/smtp/reply.h"
#include "policies/api/verdict.h"

namespace sallyport::session {

// A refusal with the transaction's id at its end: "550 5.7.1 Listed by zen.dnsbl.example (id 01JD3K7Q)".
smtp::Reply refusal(int code, std::string_view enhanced, std::string_view text, std::string_view id);
smtp::Reply reply_for(const policies::Verdict& verdict, std::string_view id);
// `after_end`: the whole message had been sent.
smtp::Reply reply_for(const UpstreamError& error, bool after_end, std::string_view id);
// The kind under which the failure is counted and logged.
Incident incident_of(const UpstreamError& error);

}  // namespace sallyport::session
