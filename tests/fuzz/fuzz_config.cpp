// The configuration: any text gives settings or errors, and settings shown are settings again. Every value is found
// again by the path it is told with, whatever its names are; any text may be asked about.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "gateway/config/explain.h"
#include "gateway/config/load.h"

namespace {

using namespace sallyport;

// One file, and what it includes is not there.
class OneFile : public config::Files {
 public:
  explicit OneFile(std::string text) : text_(std::move(text)) {}
  Result<std::string> read(const std::string& path) const override {
    if (path == "/etc/f.toml") return text_;
    return Failure{"No such file or directory"};
  }
  Result<std::vector<std::string>> matching(const std::string&) const override { return std::vector<std::string>(); }

 private:
  std::string text_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(config::explain(text, nullptr));
  const auto loaded = config::load("/etc/f.toml", OneFile(text));
  if (!loaded) {
    if (loaded.error().empty()) std::abort();
    return 0;
  }
  const auto again = config::load("/etc/f.toml", OneFile(config::show(*loaded)));
  if (!again || again->hash != loaded->hash) std::abort();
  for (const config::Effective& value : loaded->values) {
    const auto told = config::explain(value.path, &*loaded);
    if (!told || told->find(value.path + " = " + value.toml) == std::string::npos) std::abort();
  }
  return 0;
}
