#include "gateway/config/key_hints.h"

#include <algorithm>
#include <array>

namespace sallyport::config {
namespace {

// Only asked for keys that are unknown, so one that is built may still stand here.
constexpr std::array later_keys{
    std::string_view("admin"),
    std::string_view("listen[].auth"),
    std::string_view("listen[].protocol"),
    std::string_view("listen[].xclient_from"),
    std::string_view("policy.antivirus"),
    std::string_view("policy.content"),
    std::string_view("policy.dmarc.exceptions"),
    std::string_view("policy.dmarc.report.sign"),
    std::string_view("policy.dnsbl.zones.*.codes"),
    std::string_view("policy.dnsbl.zones.*.name"),
    std::string_view("policy.dnsbl.zones.*.text"),
    std::string_view("policy.greylist"),
    std::string_view("policy.impersonation"),
    std::string_view("policy.milters"),
    std::string_view("policy.pregreet"),
    std::string_view("policy.rate.skip"),
    std::string_view("policy.rules.cpu_per_mail"),
    std::string_view("policy.rules.http"),
    std::string_view("policy.url_lists"),
    std::string_view("state.history_keep"),
    std::string_view("state.shared"),
    std::string_view("tenants.*.recipients"),
    std::string_view("trusted"),
    std::string_view("upstreams.*.client_info"),
    std::string_view("upstreams.*.connection_age"),
    std::string_view("upstreams.*.connection_idle"),
    std::string_view("upstreams.*.connection_mails"),
    std::string_view("upstreams.*.extensions"),
    std::string_view("upstreams.*.hide"),
    std::string_view("upstreams.*.protocol"),
};

// Other sources of a secret than a file.
constexpr std::array later_secrets{std::string_view(".key.env"), std::string_view(".key.credential")};

// `first` is the second part of the name; the tree is no deeper than a document may be.
void find(const SchemaNode& schema, const std::string& name, const Member& first, const Member& member,
          std::vector<UnquotedName>& found) {
  if (member.value.kind != Node::Kind::table) return;
  for (const Member& below : member.value.members) {
    if (schema.children.contains(below.key)) {
      found.push_back({name, &first, &below});
    } else {
      find(schema, name + "." + below.key, first, below, found);
    }
  }
}

}  // namespace

bool is_of_another_version(std::string_view pattern) {
  if (std::find(later_keys.begin(), later_keys.end(), pattern) != later_keys.end()) return true;
  return std::any_of(later_secrets.begin(), later_secrets.end(),
                     [&](std::string_view ending) { return pattern.ends_with(ending); });
}

bool is_top_level(std::string_view key) {
  const auto child = schema_tree().children.find(key);
  return child != schema_tree().children.end() && child->second->key != nullptr;
}

std::vector<UnquotedName> find_unquoted_names(const SchemaNode& schema, const Member& member) {
  std::vector<UnquotedName> found;
  if (member.value.kind != Node::Kind::table) return found;
  for (const Member& below : member.value.members) {
    if (!schema.children.contains(below.key)) find(schema, member.key + "." + below.key, below, below, found);
  }
  return found;
}

}  // namespace sallyport::config
