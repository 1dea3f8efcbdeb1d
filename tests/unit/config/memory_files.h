// A file system of a few texts, for the loader.
#pragma once

#include <fnmatch.h>

#include <map>
#include <string>
#include <vector>

#include "gateway/config/load.h"

namespace sallyport::config {

class MemoryFiles : public Files {
 public:
  explicit MemoryFiles(std::map<std::string, std::string> files) : files_(std::move(files)) {}

  Result<std::string> read(const std::string& path) const override {
    const auto file = files_.find(path);
    if (file == files_.end()) return Failure{"No such file or directory"};
    return file->second;
  }
  Result<std::vector<std::string>> matching(const std::string& pattern) const override {
    std::vector<std::string> found;
    for (const auto& [path, content] : files_)
      if (::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME) == 0) found.push_back(path);
    return found;
  }

 private:
  std::map<std::string, std::string> files_;
};

inline const std::string minimal =
    "hostname = \"mx1.example.com\"\n"
    "domains  = [\"example.com\"]\n"
    "upstream = \"10.0.0.5:25\"\n";

// Loads one text as /etc/m.toml.
inline Outcome load_text(const std::string& text, std::map<std::string, std::string> others = {}) {
  others["/etc/m.toml"] = text;
  return read_configuration("/etc/m.toml", MemoryFiles(std::move(others)));
}

// The errors, one text each.
inline std::vector<std::string> errors_of(const std::string& text, std::map<std::string, std::string> others = {}) {
  std::vector<std::string> list;
  for (const ConfigError& error : load_text(text, std::move(others)).errors) list.push_back(error.to_string());
  return list;
}

}  // namespace sallyport::config
