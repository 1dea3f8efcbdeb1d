// Filter: what a program has registered of itself with smfi_register().
#pragma once

#include <libmilter/mfapi.h>

#include <cstdint>
#include <optional>
#include <string>

namespace sallyport::milter_library {

struct Filter {
  std::string name;
  smfiDesc callbacks{};
  // option::no_* for each event without a callback.
  std::uint32_t declined = 0;
};

// Nothing for a description made for another interface than ours: its layout may differ. A filter without a name is
// called "Unknown".
std::optional<Filter> make_filter(const smfiDesc& description);

}  // namespace sallyport::milter_library
