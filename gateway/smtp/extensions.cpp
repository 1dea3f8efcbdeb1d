#include "gateway/smtp/extensions.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gateway/base/text.h"

namespace sallyport::smtp {
namespace {

using namespace std::string_view_literals;

// The extensions without parameters, in the order they are offered.
constexpr std::array plain_keywords = {
    std::pair{"PIPELINING"sv, &Extensions::pipelining},
    std::pair{"8BITMIME"sv, &Extensions::eight_bit_mime},
    std::pair{"SMTPUTF8"sv, &Extensions::smtputf8},
    std::pair{"CHUNKING"sv, &Extensions::chunking},
    std::pair{"DSN"sv, &Extensions::dsn},
    std::pair{"ENHANCEDSTATUSCODES"sv, &Extensions::enhanced_status_codes},
    std::pair{"STARTTLS"sv, &Extensions::starttls},
    std::pair{"REQUIRETLS"sv, &Extensions::requiretls},
};

// RFC 9422, 4: a limit is 1 to 6 digits and does not begin with 0.
std::optional<std::uint64_t> read_limit(std::string_view digits) {
  if (digits.empty() || digits.size() > 6 || digits.front() == '0') return std::nullopt;
  return text::to_number(digits);
}

void read_limits(std::string_view words, Extensions& offered) {
  for (std::string_view word = text::take_word(words); !word.empty(); word = text::take_word(words)) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    const auto limit = read_limit(word.substr(equals + 1));
    if (!limit) continue;
    const std::string_view limit_name = word.substr(0, equals);
    if (text::equals_ignoring_case(limit_name, "RCPTMAX")) offered.rcpt_max = limit;
    if (text::equals_ignoring_case(limit_name, "MAILMAX")) offered.mail_max = limit;
  }
}

// The smaller of two limits; 0 means no limit.
std::uint64_t smaller_limit(std::uint64_t a, std::uint64_t b) {
  if (a == 0 || b == 0) return std::max(a, b);
  return std::min(a, b);
}

}  // namespace

std::vector<std::string> to_ehlo_lines(const Extensions& offered) {
  std::vector<std::string> lines;
  lines.reserve(plain_keywords.size() + 5);  // SIZE, LIMITS, XCLIENT, XFORWARD, and the greeting that callers add
  for (const auto& [keyword, member] : plain_keywords)
    if (offered.*member) lines.emplace_back(keyword);
  if (offered.size) lines.push_back(offered.max_size == 0 ? "SIZE" : "SIZE " + std::to_string(offered.max_size));
  std::string limits;
  if (offered.rcpt_max) limits += " RCPTMAX=" + std::to_string(*offered.rcpt_max);
  if (offered.mail_max) limits += " MAILMAX=" + std::to_string(*offered.mail_max);
  if (!limits.empty()) lines.push_back("LIMITS" + limits);
  if (!offered.xclient.is_empty()) lines.push_back("XCLIENT " + to_attribute_names(offered.xclient));
  if (!offered.xforward.is_empty()) lines.push_back("XFORWARD " + to_attribute_names(offered.xforward));
  return lines;
}

Extensions read_ehlo_lines(const std::vector<std::string>& lines) {
  Extensions offered;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    std::string_view rest = lines[i];
    const std::string_view keyword = text::take_word(rest);
    for (const auto& [known, member] : plain_keywords)
      if (text::equals_ignoring_case(known, keyword)) offered.*member = true;
    if (text::equals_ignoring_case(keyword, "SIZE")) {
      offered.size = true;
      offered.max_size = text::to_number(text::take_word(rest)).value_or(0);
    } else if (text::equals_ignoring_case(keyword, "LIMITS")) {
      read_limits(rest, offered);
    } else if (text::equals_ignoring_case(keyword, "XCLIENT")) {
      offered.xclient = read_attribute_names(rest);
    } else if (text::equals_ignoring_case(keyword, "XFORWARD")) {
      offered.xforward = read_attribute_names(rest);
    }
  }
  return offered;
}

void hide_keywords(std::vector<std::string>& lines, const std::vector<std::string>& keywords) {
  if (keywords.empty() || lines.empty()) return;
  const auto is_hidden = [&](std::string_view line) {
    const std::string keyword = text::to_upper(text::take_word(line));
    return std::find(keywords.begin(), keywords.end(), keyword) != keywords.end();
  };
  lines.erase(std::remove_if(lines.begin() + 1, lines.end(), is_hidden), lines.end());
}

Extensions offer_for(const Extensions& own, const std::vector<Extensions>& upstreams) {
  Extensions offered = own;
  for (bool Extensions::*extension :
       {&Extensions::eight_bit_mime, &Extensions::smtputf8, &Extensions::dsn, &Extensions::requiretls}) {
    const auto has_it = [&](const Extensions& upstream) { return upstream.*extension; };
    offered.*extension =
        own.*extension && !upstreams.empty() && std::all_of(upstreams.begin(), upstreams.end(), has_it);
  }
  // RFC 6531, 3.1: a server that offers SMTPUTF8 must offer 8BITMIME.
  offered.smtputf8 = offered.smtputf8 && offered.eight_bit_mime;
  for (const Extensions& upstream : upstreams)
    if (upstream.size) offered.max_size = smaller_limit(offered.max_size, upstream.max_size);
  return offered;
}

}  // namespace sallyport::smtp
