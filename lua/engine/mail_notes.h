// MailNotes: what the rules of one stage ask for one after the other, found out once for all of them: what the policies
// before them have found, and whom the mail names.
//
// The notes are of one stage of one mail, and must not outlive its message and facts. Rules gather in the last phase of
// a stage, so what the others have found does not change meanwhile. All of it is the gateway's own; what a rule gets is
// made anew for it, so that no run sees what another has done with it (threats.md L6). Bounded: what is asked for
// beyond the bounds is found out again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/public_suffix.h"
#include "gateway/mail/address_list.h"
#include "gateway/mail/encoded_words.h"
#include "gateway/mail/header.h"
#include "policies/api/facts.h"
#include "policies/lists/list_name.h"

namespace sallyport::lua {

class MailNotes {
 public:
  // `facts`: those of the mail, the same at each call. `is_first`: they were asked for now.
  const policies::Findings& findings(const policies::Facts& facts, bool& is_first) {
    is_first = !findings_;
    if (is_first) findings_ = facts.tell();
    return *findings_;
  }

  // The first mailbox of a field of the section, which must be the mail's own; nothing where the field has none.
  std::optional<mail::Mailbox> first_mailbox(const mail::HeaderSection& section, const mail::HeaderField& field) {
    const auto known = std::find_if(mailboxes_.begin(), mailboxes_.end(),
                                    [&field](const FirstMailbox& one) { return one.field == &field; });
    if (known != mailboxes_.end()) return known->mailbox;
    std::vector<mail::Mailbox> found = mail::mailboxes(field.value, 1, mail::declared_charset(section));
    std::optional<mail::Mailbox> first;
    if (!found.empty()) first = std::move(found.front());
    if (mailboxes_.size() < most_mailboxes) mailboxes_.push_back({&field, first});
    return first;
  }

  // As PublicSuffixList::registrable_domain() of this list, which must be the same at each call. Valid until the next
  // call.
  const std::string& registrable_domain(const PublicSuffixList& suffixes, std::string_view domain) {
    const auto known =
        std::find_if(domains_.begin(), domains_.end(), [domain](const auto& one) { return one.first == domain; });
    if (known != domains_.end()) return known->second;
    if (domains_.size() == most_domains) domains_.pop_back();
    return domains_.emplace_back(std::string(domain), suffixes.registrable_domain(domain)).second;
  }

  // As policies::public_zone_name(). Valid until the next call.
  const std::string& public_zone_name(std::string_view zone) {
    if (zone_ != zone) {
      public_zone_ = policies::public_zone_name(zone);
      zone_ = zone;
    }
    return public_zone_;
  }

 private:
  struct FirstMailbox {
    const mail::HeaderField* field;
    std::optional<mail::Mailbox> mailbox;
  };
  static constexpr std::size_t most_mailboxes = 4;
  static constexpr std::size_t most_domains = 16;

  std::optional<policies::Findings> findings_;
  std::vector<FirstMailbox> mailboxes_;
  std::vector<std::pair<std::string, std::string>> domains_;  // with what was found
  std::string zone_;                                          // the one that was asked last
  std::string public_zone_;
};

}  // namespace sallyport::lua
