// The configuration: any text gives settings or errors, and settings shown are settings again. Every value is found
// again by the path it is told with, whatever its names are; any text may be asked about. What is told of one tenant is
// what counts for it, and two configurations with one hash do not differ.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "gateway/config/diff.h"
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
  const config::EffectiveValues values = config::effective_values(*loaded);
  const auto travelled = config::read_effective_values(config::to_text(values));
  if (!travelled || !config::changes(*travelled, config::effective_values(*again)).empty()) std::abort();
  for (const auto& [name, tenant] : loaded->settings->tenants)
    if (!config::show_tenant(*loaded, name)) std::abort();
  for (const config::Effective& value : loaded->values) {
    const auto told = config::explain(value.path, &*loaded);
    if (!told || told->find(value.path + " = " + value.toml) == std::string::npos) std::abort();
  }
  return 0;
}
