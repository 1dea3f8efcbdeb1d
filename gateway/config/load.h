// Loading a configuration: files in, Settings out, or everything that is wrong with them in one go.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/config/config_error.h"
#include "gateway/config/files.h"
#include "gateway/config/gateway_settings.h"
#include "gateway/config/settings_table.h"

namespace sallyport::config {

// One value as it counts, given or by default.
struct Effective {
  const Key* key = nullptr;
  Instance which;
  std::string path;  // "listen[0].address"
  std::string toml;  // the value as TOML
  Origin origin;
};

struct Loaded {
  std::shared_ptr<const Settings> settings;
  std::string hash;               // of the effective values: 16 hexadecimal digits, equal for equal configurations
  std::vector<Effective> values;  // in the order of the table

  // Where the value of a full path comes from; the default's when there is no such path.
  Origin origin_of(std::string_view path) const;
};

// What could be understood, beside everything that is wrong. Errors are in the order of files and lines; where there
// are some, fields they concern have their default.
struct Outcome {
  Loaded loaded;
  ConfigErrors errors;
};

Outcome read_configuration(const std::string& file, const Files& files);

// All or nothing. The errors are never empty.
Result<Loaded, ConfigErrors> load(const std::string& file, const Files& files);

}  // namespace sallyport::config
