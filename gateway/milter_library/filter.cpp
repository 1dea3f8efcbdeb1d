#include "gateway/milter_library/filter.h"

#include "gateway/milter/protocol.h"

namespace sallyport::milter_library {

namespace {

namespace option = milter::option;

// Versions 2 to 4 were numbers of their own, before there were parts of them; their description is the beginning of
// today's, and what is behind it is not looked at (Session::negotiate() and declined_by()).
bool is_known_version(int version) {
  if (version >= 2 && version <= 4) return true;
  return SM_LM_VRS_MAJOR(version) == SM_LM_VRS_MAJOR(SMFI_VERSION) &&
         SM_LM_VRS_MINOR(version) == SM_LM_VRS_MINOR(SMFI_VERSION);
}

std::uint32_t declined_by(const smfiDesc& callbacks) {
  std::uint32_t options = 0;
  const auto decline = [&options](bool has_callback, std::uint32_t option) {
    if (!has_callback) options |= option;
  };
  decline(callbacks.xxfi_connect != nullptr, option::no_connect);
  decline(callbacks.xxfi_helo != nullptr, option::no_helo);
  decline(callbacks.xxfi_envfrom != nullptr, option::no_mail);
  decline(callbacks.xxfi_envrcpt != nullptr, option::no_rcpt);
  decline(callbacks.xxfi_header != nullptr, option::no_headers);
  decline(callbacks.xxfi_eoh != nullptr, option::no_end_of_header);
  decline(callbacks.xxfi_body != nullptr, option::no_body);
  decline(callbacks.xxfi_unknown != nullptr, option::no_unknown);
  decline(callbacks.xxfi_data != nullptr, option::no_data);
  return options;
}

}  // namespace

std::optional<Filter> make_filter(const smfiDesc& description) {
  if (!is_known_version(description.xxfi_version)) return std::nullopt;
  Filter filter;
  filter.name = description.xxfi_name != nullptr ? description.xxfi_name : "Unknown";
  filter.callbacks = description;
  filter.callbacks.xxfi_name = nullptr;  // the program may let go of it
  if (description.xxfi_version < 3) filter.callbacks.xxfi_unknown = nullptr;
  if (description.xxfi_version < 4) filter.callbacks.xxfi_data = nullptr;
  if (description.xxfi_version <= 4) filter.callbacks.xxfi_negotiate = nullptr;
  filter.declined = declined_by(filter.callbacks);
  return filter;
}

}  // namespace sallyport::milter_library
