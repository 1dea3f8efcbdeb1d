// Settings of the milters that are asked about mail (contract.md, policy.milters).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/endpoint.h"
#include "gateway/base/fields.h"
#include "gateway/milter/protocol.h"
#include "gateway/settings/section.h"
#include "policies/api/stage.h"

namespace sallyport {

namespace policies {

// What becomes of a mail about which a milter could not be asked.
enum class MilterErrorAction : std::uint8_t { tempfail, skip, reject };

// The names of the macros that are sent at a stage; nothing: those that are usual there.
using MacroNames = std::optional<std::vector<std::string>>;

struct MilterSettings {
  std::vector<Endpoint> address;  // one
  std::string name;               // in the log and in symbols; empty: made from the address
  std::optional<Mode> mode;       // nothing: that of all milters
  MilterErrorAction on_error = MilterErrorAction::tempfail;
  Duration connect_timeout = std::chrono::seconds(30);
  Duration command_timeout = std::chrono::seconds(30);   // for each answer; "in progress" lets it begin anew
  Duration message_timeout = std::chrono::seconds(120);  // for all that is waited for about one mail
  std::uint64_t max_connections = 100;                   // of the whole process
  bool reuse = true;                                     // connections carry one SMTP session after another
  std::vector<Endpoint> listeners;                       // that it is asked about; empty: all
  std::array<MacroNames, milter::macro_stages> macros;   // by milter::MacroStage

  // "opendkim" of unix:/run/opendkim/opendkim.sock, "clamav" of unix:/run/clamav/milter.sock, else "127.0.0.1:8891".
  std::string shown_name() const;
};

struct MiltersSettings {
  Mode mode = Mode::enforce;            // of those that say nothing of their own
  std::vector<MilterSettings> milters;  // in the order in which they are asked

  Mode mode_of(const MilterSettings& milter) const { return milter.mode.value_or(mode); }
};

extern const settings::SectionOf<MiltersSettings> milters_section;

// "unix:/path", "local:/path", "inet:host:port", "inet:port@host", "inet6:port@host", "host:port".
std::optional<Endpoint> parse_milter_address(std::string_view text);

}  // namespace policies

template <>
inline constexpr auto words_of<policies::MilterErrorAction> =
    std::to_array<std::string_view>({"tempfail", "skip", "reject"});

}  // namespace sallyport
