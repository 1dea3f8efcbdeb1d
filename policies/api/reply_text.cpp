#include "policies/api/reply_text.h"

#include <string>

namespace sallyport::policies {

Verdict refuse_with(const ReplyText& reply, std::string_view what) {
  std::string text(reply.text);
  const std::size_t gap = text.find("{}");
  if (gap != std::string::npos) text.replace(gap, 2, what);
  return reply.code < 500 ? Verdict::tempfail(reply.dsn, text, reply.code)
                          : Verdict::reject(reply.dsn, text, reply.code);
}

}  // namespace sallyport::policies
