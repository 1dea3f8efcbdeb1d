#include "policies/lists/list_text.h"

#include <algorithm>
#include <array>

#include "gateway/base/a_labels.h"
#include "gateway/base/text.h"
#include "gateway/settings/node.h"

namespace sallyport::policies {

namespace {

constexpr std::array<std::string_view, 3> placeholders{"{list}", "{ip}", "{domain}"};

// The placeholder at the beginning of the text; empty when there is none.
std::string_view placeholder_at(std::string_view text) {
  for (std::string_view one : placeholders) {
    if (text.starts_with(one)) return one;
  }
  return {};
}

// Domains are shown as the DNS knows them; one that the DNS cannot know is not shown.
std::string domain_of_sender(const Transaction& mail) {
  return mail.from ? to_a_labels(mail.from->domain).value_or("") : std::string();
}

}  // namespace

std::optional<std::string> objection_to_list_text(std::string_view text) {
  if (text.size() > max_list_text) {
    return "the text of a reply has at most " + std::to_string(max_list_text) + " characters, not " +
           std::to_string(text.size());
  }
  if (text::printable(text, std::string::npos) != text) return "the text of a reply is printable ASCII in one line";
  for (std::size_t at = text.find('{'); at != std::string_view::npos; at = text.find('{', at + 1)) {
    if (!placeholder_at(text.substr(at)).empty()) continue;
    const std::size_t end = std::min(text.find('}', at), text.size() - 1);
    const std::string_view found = text.substr(at, end - at + 1);
    return settings::quote(found) + " is no placeholder: there are {list}, {ip} and {domain}";
  }
  return std::nullopt;
}

std::string list_reply_text(std::string_view text, std::string_view list, const Transaction& mail) {
  std::string out;
  std::string_view rest = text.empty() ? std::string_view("Listed by {list}") : text;
  while (!rest.empty()) {
    const std::string_view placeholder = placeholder_at(rest);
    if (placeholder == "{list}") {
      out += list;
    } else if (placeholder == "{ip}") {
      out += mail.client.ip.to_string();
    } else if (placeholder == "{domain}") {
      out += domain_of_sender(mail);
    } else {
      out += rest.front();
    }
    rest.remove_prefix(std::max<std::size_t>(placeholder.size(), 1));
  }
  return text::printable(out, max_reply_text);
}

}  // namespace sallyport::policies
