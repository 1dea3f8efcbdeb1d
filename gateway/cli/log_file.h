// The files of the log, for commands that sum it up: the one that is written, and those that it was before it was
// rotated.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/descriptor.h"
#include "gateway/base/result.h"
#include "gateway/base/units.h"

namespace sallyport::cli {

struct LogFile {
  std::string path;
  Descriptor file;
};

// Those that logrotate and its like have made of this file beside it (FILE.1, FILE.2.gz, FILE-20261130) and that were
// written to at `since` or later, the oldest first. Each is open, so that a rotation meanwhile changes nothing, and
// none is `current`, the file itself, by another name. The failure: one that cannot be read, or its folder.
Result<std::vector<LogFile>> open_rotated(const std::string& path, const Descriptor& current, WallTime since);

// Each line, without its end, whether the file is compressed by gzip or not. A line that is too long is given as
// nothing. Takes the file. The reason where it cannot be read to its end.
std::optional<std::string> read_lines(Descriptor file,
                                      const std::function<void(std::optional<std::string_view>)>& take);

}  // namespace sallyport::cli
