// A message from a file, as a client would send it, and the envelope that it tells of itself.
#pragma once

#include <string>
#include <string_view>

#include "gateway/app/commands.h"
#include "gateway/app/explanation.h"
#include "gateway/base/result.h"
#include "gateway/config/gateway_settings.h"

namespace sallyport::app {

// A file without one CRLF has LF line ends, and they are taken as CRLF; in one with CRLF a lone LF is what the client
// sent. The "From " line of a mailbox file is left out. An error is a file that is no message, in words: it is empty,
// or begins with no header field.
Result<StoredMessage> read_stored_message(std::string octets);

// What `options` give; the rest from the message: the client and its HELO from the Received field that we added, else
// the topmost, the sender from Return-Path, else the author, the recipients from Delivered-To or X-Original-To, else
// those of To and Cc that are in our domains. Where it tells nothing: 127.0.0.1 with its literal, the null sender,
// anybody at our first domain.
Envelope make_envelope(const ExplainOptions& options, std::string_view content, const config::Settings& settings);

}  // namespace sallyport::app
