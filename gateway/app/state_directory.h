// The state directory at the start (threats.md V1).
//
// Root does as little as possible there: it makes the directory if it is missing, and gives it to the user who serves.
// It never gives away a directory that was neither just made nor root's own and empty: `state.path` may name somebody
// else's by a slip. It works by descriptors, and through no link that another user can have put on the way. What is in
// the directory is made and opened later, as the user who serves: links that he has put there lead nowhere where he may
// not go himself.
#pragma once

#include <string>

#include "gateway/app/privileges.h"
#include "gateway/base/result.h"

namespace sallyport::app {

// As root, before privileges are dropped.
Result<Done> prepare_state_directory(const std::string& path, const Account& owner);
// As the user who serves: makes the directory if it is missing, and in it the one for spool files, whose path it gives.
// The failure says what to do when the user may not write there.
Result<std::string> open_state_directory(const std::string& path);
// For the end of a sentence that says that something could not be written there: that the file system is read-only, or
// how little room it has. Empty where neither explains it.
std::string describe_room(const std::string& path);

}  // namespace sallyport::app
