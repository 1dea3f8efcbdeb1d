// Manual pages in the language of man(7), made of the tables of commands, of settings and of replies.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "gateway/cli/command_description.h"

namespace sallyport::cli {

// sallyport(8)
std::string manual_of_commands(std::span<const CommandDescription> commands);
// sallyport-replies(7)
std::string manual_of_replies();
// sallyport.toml(5)
std::string manual_of_settings();

// A text as it has to stand in a line of a page: nothing in it is taken for a request or an escape.
std::string manual_text(std::string_view text);

}  // namespace sallyport::cli
