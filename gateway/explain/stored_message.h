// Reads a message from a file as a client would send it, and derives the envelope from its header.
#pragma once

#include <string>
#include <string_view>

#include "gateway/base/result.h"
#include "gateway/config/gateway_settings.h"
#include "gateway/explain/explanation.h"

namespace sallyport::explain {

// Turns the octets of a file into a message. When the file has no CRLF, its LF line ends become CRLF; when it has any,
// a lone LF is kept, as sent by the client. The "From " line of a mailbox file is removed. The error says why the file
// is no message: it is empty, or does not begin with a header field.
Result<StoredMessage> read_stored_message(std::string octets);

// Completes the envelope. What `given` lacks is taken from the message:
// - the client and its HELO from the Received field that we added, else from the topmost one;
// - the sender from Return-Path, else from the From field;
// - the recipient from Delivered-To, X-Original-To, To or Cc, the first whose address is in one of our domains. What
//   the message does not tell either becomes 127.0.0.1, its address literal as HELO, the null sender, and somebody@ our
//   first domain. `assumed` lists what was not given.
Envelope make_envelope(const GivenEnvelope& given, std::string_view content, const config::Settings& settings);

}  // namespace sallyport::explain
