// The URLs of a mail: from its texts, the links of its HTML, and the header fields that people or programs follow.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "gateway/mail/header.h"
#include "gateway/mail/message.h"
#include "gateway/mime/contents.h"
#include "gateway/mime/tree.h"
#include "gateway/url/url_set.h"

namespace sallyport::url {

// Subject (decoded), List-Unsubscribe, From, Reply-To and Sender.
void add_header_urls(const mail::HeaderSection& header, UrlSet& set);

// Of one part; nothing of parts that are no text. Reads its content (mime/contents.h), and so holds up the loop.
void add_part_urls(const mail::Message& message, const mime::Tree& tree, mime::PartIndex part, mime::Contents& contents,
                   UrlSet& set);

// The URLs of one mail, found when somebody first asks, once for all who ask. For use on the mail's loop; the message,
// the tree and the contents must be those of the mail, the same at each call.
class MailUrls {
 public:
  // `suffixes` must outlive this object.
  explicit MailUrls(const Suffixes& suffixes) : suffixes_(suffixes) { set_.emplace(suffixes_); }

  // Reads on: first the header section, then parts of about `most` octets. True: there is more to be read.
  bool read(const mail::Message& message, const mime::Tree& tree, mime::Contents& contents, std::uint64_t most);
  // What was found so far.
  const UrlSet& set() const { return *set_; }
  // The same, the most suspicious first (suspicion.h). Valid until the next read().
  const std::vector<const Found*>& by_suspicion();

  // Frees what was found; read() then begins anew.
  void forget();

 private:
  Suffixes suffixes_;
  std::optional<UrlSet> set_;  // always there
  std::vector<const Found*> sorted_;
  bool is_sorted_ = false;
  bool has_header_ = false;
  mime::PartIndex next_ = 0;
};

}  // namespace sallyport::url
