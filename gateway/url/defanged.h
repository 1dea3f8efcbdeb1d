// URLs that were made harmless to look at ("hxxp://example[.]com"), in the form they had.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sallyport::url {

// The text with "[.]", "(dot)", "[:]", "[at]" and the like replaced by what they stand for. Nothing when there are none
// before the path, where brackets are a part of it.
std::optional<std::string> refanged(std::string_view text);

// "http" of "http", "hxxp", "h**p" and the like, in any case; empty for a scheme that is none of those that URLs in
// mail have. `is_defanged` is set where the scheme was written differently.
std::string_view known_scheme(std::string_view written, bool& is_defanged);

// The longest end of `letters` that is a known scheme; empty when there is none.
std::string_view scheme_at_end(std::string_view letters);

}  // namespace sallyport::url
