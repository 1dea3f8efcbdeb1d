// The log's events as entries of the systemd journal, in its own protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): fields
// by which `journalctl SALLYPORT_VERDICT=reject` finds them, beside the line that people read. Private to the log.
//
// MESSAGE is the line as any other target gets it, with its time. Each field of the event is SALLYPORT_ and its name in
// capitals, each text of a list a field of its own. In values deceptive characters and octets that are no UTF-8 are
// '?', since tools print them as they are; MESSAGE has them as escapes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/log.h"

namespace sallyport::log_journal {

// Fields that no longer fit are left out; MESSAGE has them, or says cut=true.
inline constexpr std::size_t max_fields_octets = 16 * 1024;

// Appends one field of an entry. A value may hold any octets, and cannot begin another field. `name` is one of ours.
void append_field(std::string& entry, std::string_view name, std::string_view value);

// "SALLYPORT_RDNS"
std::string field_name(std::string_view key);

// Appends the fields of an event, without MESSAGE and PRIORITY.
void append_event(std::string& entry, std::string_view event, const std::vector<LogField>& fields);

}  // namespace sallyport::log_journal
