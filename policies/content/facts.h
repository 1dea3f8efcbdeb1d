// What was found out about a mail's content: its parts (gateway/mime/tree.h), without what stands in them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/mime/contents.h"
#include "gateway/mime/tree.h"
#include "gateway/url/mail_urls.h"
#include "policies/api/facts.h"

namespace sallyport::policies {

struct ContentFacts {
  mime::Tree tree;
  bool has_malformed_header = false;           // of the mail itself: a line that is no field (threats.md M3)
  std::vector<std::string> duplicated_fields;  // fields of the mail that may stand once, and stand more often (M4)
  // No facts and no fields: what has been decoded of the parts, and the URLs in it, while the mail is there. Both are
  // there or neither is.
  std::shared_ptr<mime::Contents> contents;
  std::shared_ptr<url::MailUrls> urls;

  template <class V>
  void fields(V& visit) {
    visit("tree", tree);
    visit("malformed_header", has_malformed_header);
    visit("duplicated_fields", duplicated_fields);
  }
};

extern const FactsType content_facts;
template <>
inline const FactsType& type_of<ContentFacts>() {
  return content_facts;
}

}  // namespace sallyport::policies
