// The first half of loading: the files, matched against the table. What comes out is what was said, where, and what of
// it cannot be understood.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/config_error.h"
#include "gateway/config/files.h"
#include "gateway/config/settings_table.h"

namespace sallyport::config {

struct Given {
  const Key* key = nullptr;
  Instance which;
  Value value;
  Origin at;  // of the key
};

struct InstanceAt {
  Instance which;
  Origin at;  // of the first table that names it
};

struct Collected {
  std::map<std::string, Given, std::less<>> values;   // by full path
  std::map<std::string, Origin, std::less<>> places;  // of every known key that was given, also with a bad value
  std::map<std::string, std::vector<InstanceAt>, std::less<>> instances;  // by the collection's path
  ConfigErrors errors;
  bool incomplete = false;  // a file could not be read: what seems to be missing may be in there

  // Notes that there is such a one; a name that is known already keeps its place.
  void add_instance(std::string_view collection, const Instance& which, const Origin& at);
};

// Reads `file` and everything it includes. A file that several patterns match is read once.
Collected collect(const std::string& file, const Files& files);

}  // namespace sallyport::config
