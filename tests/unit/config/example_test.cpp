// packaging/sallyport.toml is what an administrator starts from: it must load as it is, name every key, and not lie
// about defaults.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "gateway/config/load.h"
#include "tests/unit/config/memory_files.h"

namespace sallyport::config {
namespace {

constexpr const char* example = "packaging/sallyport.toml";

std::string example_text() {
  const auto text = Disk().read(example);
  return text ? *text : std::string();
}

// The example with the # taken from every line that is a key or a header: what an administrator would uncomment.
std::string uncommented(const std::string& text) {
  std::string out;
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = text.find('\n', start);
    std::string line = text.substr(start, end - start);
    // Prose has a space behind the #.
    if (line.size() > 1 && line[0] == '#' && line[1] != ' ') line.erase(0, 1);
    out += line + "\n";
    if (end == std::string::npos) break;
    start = end + 1;
  }
  return out;
}

TEST(Example, LoadsAsItIs) {
  const auto loaded = load(example, Disk());
  ASSERT_TRUE(loaded) << loaded.error()[0].to_string();
  EXPECT_EQ(loaded->settings->hostname, "mx1.example.com");
}

TEST(Example, EveryLineIsTrue) {
  // Both forms of these at once would be an error, and the included files are not there.
  std::string text = uncommented(example_text());
  for (const char* line : {"\ndomains = [\"example.com\"]\n", "\nupstream = \"10.0.0.5:25\"\n"}) {
    const std::size_t at = text.find(line);
    ASSERT_NE(at, std::string::npos) << line;
    text.erase(at, std::string(line).size() - 1);
  }
  const Outcome all = load_text(text);
  for (const ConfigError& error : all.errors) ADD_FAILURE() << error.to_string();

  std::set<std::string_view> named;
  for (const Effective& value : all.loaded.values)
    if (!value.origin.is_default() && value.origin.file == "/etc/m.toml") named.insert(value.key->path);
  for (const Key& key : settings_table()) {
    const bool system = key.path == "dns.servers";  // an empty list in the example, for those of the system
    if (key.is_effective() && !system) EXPECT_TRUE(named.contains(key.path)) << key.path << " is not in the example";
  }

  const Outcome plain = load_text(minimal +
                                  "[policy.dnsbl.zones.\"zen.dnsbl.example\"]\n"
                                  "[policy.dnsbl.zones.\"white.dnsbl.example\"]\n");
  const std::set<std::string_view> examples{"hostname",
                                            "tls.cert",
                                            "tls.sni.*.cert",
                                            "upstreams.*.servers",
                                            "tenants.*.domains",
                                            "policy.dnsbl.zones.*.score",
                                            "policy.milters",
                                            "policy.arc.seal.domain",
                                            "policy.arc.seal.selector",
                                            "policy.arc.seal.key.file",
                                            "policy.dmarc.exceptions",
                                            "policy.dmarc.report.sign.domain",
                                            "policy.dmarc.report.sign.selector",
                                            "policy.dmarc.report.sign.key.file",
                                            "admin.listen"};
  std::size_t compared = 0;
  for (const Effective& by_default : plain.loaded.values) {
    if (examples.contains(by_default.key->path)) continue;
    for (const Effective& value : all.loaded.values) {
      if (value.path != by_default.path) continue;
      EXPECT_EQ(value.toml, by_default.toml) << value.path;
      ++compared;
    }
  }
  EXPECT_GT(compared, 60u);
}

}  // namespace
}  // namespace sallyport::config
