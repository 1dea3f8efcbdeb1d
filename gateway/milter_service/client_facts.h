// What an MTA says of its client, as policies see it. All of it is judged as if the client itself had said it: what is
// no address, no name, no number is left out.
#pragma once

#include <optional>

#include "gateway/milter/command.h"
#include "gateway/milter_service/macro_values.h"
#include "policies/api/transaction.h"

namespace sallyport::milter_service {

// The client's address, port and confirmed name. A client without an address of its own, such as one at a unix-domain
// socket, is one of the MTA's host: 127.0.0.1.
policies::Client client_of(const milter::Connect& connect, const MacroValues& macros);

// Nothing: the client does not use TLS.
std::optional<policies::TlsFacts> tls_of(const MacroValues& macros);

}  // namespace sallyport::milter_service
