#include "policies/dmarc/record.h"

#include <algorithm>

#include "gateway/base/text.h"
#include "gateway/signature/tag_list.h"

namespace sallyport::policies {

namespace {

using signature::trim_folding;

struct Tag {
  std::string_view name;
  std::string_view value;
};

// Takes the next `name = value` off the front.
Tag take_tag(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(';'), rest.size());
  const std::string_view whole = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  const std::size_t equals = whole.find('=');
  if (equals == std::string_view::npos) return {};
  return {trim_folding(whole.substr(0, equals)), trim_folding(whole.substr(equals + 1))};
}

std::optional<DmarcDisposition> to_policy(std::string_view value) {
  return from_word<DmarcDisposition>(text::to_lower(value));
}

// "mailto:" and an address, in the characters a URI may have. RFC 9989 leaves other schemes to those who know them.
bool is_mailto(std::string_view uri) {
  constexpr std::string_view scheme = "mailto:";
  if (!text::starts_with_ignoring_case(uri, scheme)) return false;
  uri.remove_prefix(scheme.size());
  const std::size_t at = uri.rfind('@');
  return at != std::string_view::npos && at > 0 && at + 1 < uri.size() &&
         std::all_of(uri.begin(), uri.end(),
                     [](char c) { return text::is_printable(c) && c != ' ' && c != '<' && c != '>' && c != '"'; });
}

std::vector<std::string> to_uris(std::string_view list) {
  std::vector<std::string> uris;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    std::string_view uri = trim_folding(list.substr(0, end));
    uri = uri.substr(0, uri.find('!'));  // RFC 7489's size limit; an ! of the address is written %21
    if (is_mailto(uri)) uris.emplace_back(uri);
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return uris;
}

class Reader {
 public:
  explicit Reader(DmarcRecord& record) : record_(record) {}

  // The first tag of a name counts; RFC 9989 says nothing of others.
  void take(const Tag& tag) {
    const std::string name = text::to_lower(tag.name);
    if (std::find(seen_.begin(), seen_.end(), name) != seen_.end()) return;
    if (name == "p") {
      set_policy(record_.policy, tag.value);
    } else if (name == "sp") {
      set_policy(record_.subdomain_policy, tag.value);
    } else if (name == "np") {
      set_policy(record_.nonexistent_policy, tag.value);
    } else if (name == "adkim") {
      record_.strict_dkim = text::equals_ignoring_case(tag.value, "s");
    } else if (name == "aspf") {
      record_.strict_spf = text::equals_ignoring_case(tag.value, "s");
    } else if (name == "t") {
      record_.testing = text::equals_ignoring_case(tag.value, "y");
    } else if (name == "psd") {
      set_public_suffix(tag.value);
    } else if (name == "fo") {
      record_.failure_options = text::to_lower(text::printable(tag.value, 16));
    } else if (name == "rua") {
      record_.report_to = to_uris(tag.value);
    } else if (name == "ruf") {
      record_.failure_report_to = to_uris(tag.value);
    } else {
      return;  // unknown names are not kept: there may be as many as there are octets
    }
    seen_.push_back(name);
  }

 private:
  void set_policy(std::optional<DmarcDisposition>& policy, std::string_view value) {
    policy = to_policy(value);
    if (!policy) record_.has_bad_policy = true;
  }

  void set_public_suffix(std::string_view value) {
    if (text::equals_ignoring_case(value, "y")) record_.public_suffix = DmarcRecord::PublicSuffix::yes;
    if (text::equals_ignoring_case(value, "n")) record_.public_suffix = DmarcRecord::PublicSuffix::no;
  }

  DmarcRecord& record_;
  std::vector<std::string> seen_;
};

}  // namespace

DmarcDisposition DmarcRecord::policy_below() const {
  if (has_bad_policy) return DmarcDisposition::none;
  return subdomain_policy.value_or(own_policy());
}

DmarcDisposition DmarcRecord::policy_of_nonexistent() const {
  if (has_bad_policy) return DmarcDisposition::none;
  return nonexistent_policy.value_or(policy_below());
}

std::optional<DmarcRecord> parse_dmarc_record(std::string_view text) {
  if (text.size() > max_dmarc_record_octets || text.empty() || text::is_space(text.front())) return std::nullopt;
  const Tag version = take_tag(text);
  // The tag's name is an ABNF string, of any case; its value is not (RFC 9989, 4.8).
  if (!text::equals_ignoring_case(version.name, "v") || version.value != "DMARC1") return std::nullopt;
  DmarcRecord record;
  Reader reader(record);
  while (!text.empty()) reader.take(take_tag(text));
  return record;
}

}  // namespace sallyport::policies
