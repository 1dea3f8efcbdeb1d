// The value types of upstreams.*.hide, upstreams.*.extensions, admin.listen, listen[].address and listen[].socket_mode.
#pragma once

#include "gateway/config/gateway_settings.h"
#include "gateway/settings/value_types.h"

namespace sallyport::config {

extern const settings::TypeOf<std::vector<std::string>> ehlo_keywords_type;  // array of "CHUNKING", kept in capitals
extern const settings::TypeOf<OfferedExtensions>
    offered_extensions_type;  // "common", or an array of offerable_extensions
extern const settings::TypeOf<std::optional<SocketAddress>> optional_address_type;  // "127.0.0.1:8080", or ""
extern const settings::TypeOf<Endpoint> listen_address_type;  // "192.0.2.1:25", "unix:/run/sallyport/milter.sock"
extern const settings::TypeOf<FileMode> file_mode_type;       // "0660"

}  // namespace sallyport::config
