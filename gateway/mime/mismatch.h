// What a part is said to be against what it is (threats.md M14), and small questions about types.
#pragma once

#include <string>
#include <string_view>

#include "gateway/mime/part.h"

namespace sallyport::mime {

// True for content that is a program, an archive or a document of Office, where neither the label nor any name tells
// so; and for a picture, sound or film that is none of them. Labels that say nothing (application/octet-stream) are no
// mismatch, nor is text of any kind under another label of text.
bool is_mismatch(const Part& part);

// True if some name of the part could take people, or programs, in: see NameOddity. Separators, dots at the end,
// lengths and octets that are no text are seen in honest mail, and do not count.
bool has_deceptive_name(const Part& part);

// message/rfc822 and its kin: content that is a mail.
bool is_message_type(std::string_view type);
bool is_multipart_type(std::string_view type);

// A name's octets as UTF-8: as they are, or else from windows-1252; at most max_name_octets.
std::string to_name_text(std::string_view octets);

}  // namespace sallyport::mime
