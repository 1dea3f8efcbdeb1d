// The first half of loading: reads the files and matches them against the settings table. The result is every key that
// was given, with its place, and every error found so far; load.cpp makes Settings of it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/config_error.h"
#include "gateway/config/document.h"
#include "gateway/config/files.h"
#include "gateway/config/settings_table.h"

namespace sallyport::config {

// One key that was given a valid value of its type.
struct Given {
  const Key* key = nullptr;
  std::string tenant;  // set for a policy's key under [tenants.T]; empty: for everybody
  Places which;
  Node value;
  std::string directory;  // directory of the file, from which relative paths count
  Origin at;              // position of the key
};

struct InstanceAt {
  Place place;
  Origin at;  // position of the first table that has this name
};

struct Collected {
  std::map<std::string, Given, std::less<>> values;  // by full path
  std::map<std::string, Origin, std::less<>>
      places;  // position of every known key that was given, even with a bad value
  // The entries of each collection, in the order of the files, by the collection's full path: "upstreams.*",
  // "tenants.acme.policy.dnsbl.zones.*".
  std::map<std::string, std::vector<InstanceAt>, std::less<>> instances;
  ConfigErrors errors;
  ConfigErrors warnings;
  bool incomplete = false;  // a file could not be read, so a missing key may be in it
  // Keys of the top level that were found behind a [section]; that they are missing at the top needs no second word.
  std::set<std::string, std::less<>> misplaced;

  // Adds an entry to the collection; a name that it already has keeps its first position.
  void add_instance(std::string_view collection, const Place& place, const Origin& at);
  // True if the collection has an entry with this name or index.
  bool has_instance(std::string_view collection, const Place& place) const;
};

// Reads `file` and all files that it includes. A file that several patterns match is read once. Blocks on the file
// system: not for a loop's thread.
Collected collect(const std::string& file, const Files& files);

}  // namespace sallyport::config
