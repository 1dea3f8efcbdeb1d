// TrialLists: the lists of rules (sp.list) in tests: the files beside the rules, unless a test says what a list has. A
// list of a web server has nothing until a test says so.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/io/list_files.h"

namespace sallyport::lua {

class TrialLists final : public io::ListFiles {
 public:
  Result<std::shared_ptr<const io::LiveList>> open(const std::string& path, EntryKind kind) override;
  Result<std::shared_ptr<const io::LiveList>> open(const io::ListAddress& address, EntryKind kind) override;

  // What the lists of this file or URL have from now on, one entry a line. `name` is a path as it was opened, or a URL.
  // The failure says what is wrong: no rule has such a list, or it is no entry.
  Result<Done> set(const std::string& name, std::string_view entries);
  // All have again what they had when they were opened.
  void reset();

 private:
  class List;
  std::map<std::pair<std::string, EntryKind>, std::shared_ptr<List>> lists_;
};

}  // namespace sallyport::lua
