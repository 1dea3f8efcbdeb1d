// SubjectTags: texts that are put before the subject of a mail, such as "[EXTERNAL] ".
//
// A tag stands before the subject as its readers see it: encoded words (RFC 2047) stay whole and keep their spaces, and
// a tag that is not ASCII becomes one itself. One that the subject begins with already, at most behind some "Re: ", is
// not put there again. All other octets of the field stay as they are, its folding included. No line becomes longer
// than 998 octets (RFC 5322, 2.1.1): a space before or behind the tags may be a fold, and together they have at most
// 800 octets; those that do not fit are left out.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/mail/header.h"

namespace sallyport::mail {

class SubjectTags {
 public:
  // In their order, each once; UTF-8 without controls.
  explicit SubjectTags(std::span<const std::string> tags);

  bool empty() const { return tags_.empty(); }
  // The whole field with the tags. Nothing: it has all of them. `raw_charset` as in decode_text().
  std::optional<std::string> put_before(const HeaderField& subject, std::string_view raw_charset) const;
  // The field of a mail that has none.
  std::string as_subject() const;

 private:
  struct Tag {
    std::string text;
    std::string seen;  // as a decoded subject shows it, without spaces at its ends
  };

  std::string missing(std::string_view subject) const;

  std::vector<Tag> tags_;
};

}  // namespace sallyport::mail
