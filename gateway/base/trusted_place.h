// Finds the directory in which root may open or make something, although another user may write somewhere on the way.
//
// Root opens the log and makes the state directory at each start. Both may stand in a directory of the user who serves.
// Somebody who has got hold of the gateway could put a symbolic link there and so choose a file or directory for root
// to open, to create or to give away (threats.md V1). Therefore the path is walked component by component. A symbolic
// link is followed only where nobody but root can have put it: in a directory that is root's and that only root may
// write to, or in one with the sticky bit when the link itself is root's.
//
// For other users than root links are followed as usual: they lead nowhere where that user may not go.
#pragma once

#include <string>

#include "gateway/base/descriptor.h"
#include "gateway/base/result.h"

namespace sallyport {

// An entry of a directory, which need not exist. It is opened with openat() and O_NOFOLLOW, or made with mkdirat().
struct TrustedPlace {
  Descriptor directory;  // O_PATH
  std::string name;      // one component
};

// What to do with a link at the path's own end: `follow` it as those on the way, or leave it to the caller's
// O_NOFOLLOW.
enum class LastLink { follow, keep };

// The failure names the component that is missing, no directory, or a link that cannot be trusted, but not the path.
Result<TrustedPlace> find_trusted_place(const std::string& path, LastLink last);

}  // namespace sallyport
