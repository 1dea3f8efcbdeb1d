// The URLs of a mail: from its texts, the links of its HTML, and the header fields that people or programs follow.
#pragma once

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

}  // namespace sallyport::url
