// The types of a list's settings that no other section has: for the rows of a policy that uses lists.
#pragma once

#include <string>
#include <vector>

#include "gateway/settings/value_type.h"
#include "policies/lists/list_settings.h"

namespace sallyport::policies::list_types {

extern const settings::TypeOf<std::vector<ReplyRange>> reply_ranges;  // array of "127.0.0.2" or "127.0.0.4-127.0.0.11"
extern const settings::TypeOf<std::vector<CodeScore>> code_scores;    // { "127.0.0.2-127.0.0.3" = 8.0 }
extern const settings::TypeOf<std::string> list_name;                 // how a list is called in public
extern const settings::TypeOf<std::string> list_text;                 // of a reply, with placeholders (list_text.h)
extern const settings::TypeOf<SelfTest> self_test;  // a word; true and false were the only values once

}  // namespace sallyport::policies::list_types
