#include "gateway/smtp/path.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "gateway/base/address.h"
#include "gateway/base/domain_name.h"
#include "gateway/base/text.h"
#include "gateway/smtp/octets.h"

namespace sallyport::smtp {
namespace {

constexpr std::size_t most_path_octets = 256;    // counted with < and >
constexpr std::size_t most_domain_octets = 253;  // 255 in wire format
constexpr std::size_t most_label_octets = 63;

std::optional<PathError> check_utf8(std::string_view octets, bool utf8) {
  if (!has_8bit(octets)) return std::nullopt;
  if (!utf8) return PathError::needs_utf8;
  if (!text::is_utf8(octets)) return PathError::bad_utf8;
  return std::nullopt;
}

// RFC 5321, 4.1.3. IpAddress::parse() takes both families, so the colon decides whether "IPv6:" must be there.
Result<std::string, PathError> parse_literal(std::string_view literal) {
  if (literal.size() < 2 || literal.back() != ']') return PathError::bad_literal;
  std::string_view inside = literal.substr(1, literal.size() - 2);
  constexpr std::string_view tag = "IPv6:";
  const bool is_tagged = text::starts_with_ignoring_case(inside, tag);
  if (is_tagged) inside.remove_prefix(tag.size());
  const auto ip = IpAddress::parse(inside);
  if (!ip || is_tagged != (inside.find(':') != std::string_view::npos)) return PathError::bad_literal;
  return ip->to_literal();
}

std::optional<PathError> check_labels(std::string_view domain) {
  while (true) {
    const std::size_t dot = domain.find('.');
    const std::string_view label = domain.substr(0, dot);
    if (label.empty()) return PathError::empty_label;
    if (label.size() > most_label_octets) return PathError::label_too_long;
    if (dot == std::string_view::npos) return std::nullopt;
    domain.remove_prefix(dot + 1);
  }
}

class PathParser {
 public:
  PathParser(std::string_view text, bool utf8) : text_(text), utf8_(utf8) {}

  Result<ParsedPath, PathError> parse(PathKind kind) {
    skip_blanks();
    bracketed_ = take('<');
    if (bracketed_) skip_blanks();
    if (bracketed_ && take('>')) {
      if (kind == PathKind::forward) return PathError::syntax;
      return ParsedPath{.path = {}, .rest = text_.substr(at_)};
    }
    const std::size_t begin = at_;
    if (bracketed_ && !at_end() && peek() == '@') {
      if (const auto error = skip_source_route()) return *error;
    }
    auto path = mailbox(kind);
    if (!path) return path.error();
    const std::size_t octets = at_ - begin + 2;  // with the brackets, whether or not they are there
    if (bracketed_) skip_blanks();
    const bool is_closed = bracketed_ ? take('>') : at_end() || text::is_space(peek());
    if (!is_closed) return PathError::syntax;
    if (octets > most_path_octets) return PathError::too_long;
    return ParsedPath{.path = std::move(*path), .rest = text_.substr(at_)};
  }

 private:
  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return text_[at_]; }
  bool take(char wanted) {
    if (at_end() || peek() != wanted) return false;
    ++at_;
    return true;
  }

  void skip_blanks() {
    while (!at_end() && text::is_space(peek())) ++at_;
  }

  // RFC 5321, 4.1.2 and appendix C: "@a,@b:" is checked and dropped.
  std::optional<PathError> skip_source_route() {
    do {
      if (!take('@')) return PathError::syntax;
      const std::string_view name = domain_text();
      if (name.starts_with('[')) return PathError::bad_literal;
      const auto domain = parse_domain(name, utf8_);
      if (!domain) return domain.error();
    } while (take(','));
    if (!take(':')) return PathError::syntax;
    return std::nullopt;
  }

  Result<MailAddress, PathError> mailbox(PathKind kind) {
    auto local = !at_end() && peek() == '"' ? quoted_string() : unquoted_local();
    if (!local) return local.error();
    MailAddress path;
    path.local = std::move(*local);
    if (!take('@')) {
      if (kind != PathKind::forward || !path.is_postmaster()) return no_mailbox(path);
      return path;
    }
    auto domain = parse_domain(domain_text(), utf8_);
    if (!domain) return domain.error();
    path.domain = std::move(*domain);
    return path;
  }

  // A whole local part stands where no @ follows: only its domain is missing.
  PathError no_mailbox(const MailAddress& path) {
    const bool ends_at_blank = !bracketed_ && !at_end() && text::is_space(peek());
    skip_blanks();
    const bool ends_here = ends_at_blank || at_end() || peek() == '>';
    return ends_here && !path.local.empty() ? PathError::no_domain : PathError::syntax;
  }

  Result<std::string, PathError> unquoted_local() {
    const std::size_t begin = at_;
    while (!at_end() && (peek() == '.' || is_atext(peek()))) ++at_;
    const std::string_view local = text_.substr(begin, at_ - begin);
    if (const auto error = check_utf8(local, utf8_)) return *error;
    if (!is_dot_string(local)) return PathError::syntax;
    return std::string(local);
  }

  // RFC 5321, 4.1.2: any printable octet, with " and \ escaped. Other octets may be escaped too; the result is
  // unescaped.
  Result<std::string, PathError> quoted_string() {
    std::string local;
    ++at_;
    while (!at_end() && peek() != '"') {
      const bool escaped = take('\\');
      if (at_end()) return PathError::bad_quotes;
      const char c = peek();
      if (text::is_control(c) || (escaped && !text::is_ascii(c))) return PathError::bad_quotes;
      local += c;
      ++at_;
    }
    if (!take('"')) return PathError::bad_quotes;
    if (const auto error = check_utf8(local, utf8_)) return *error;
    return local;
  }

  // Takes the text where a domain or a literal must stand, up to the first octet that cannot belong to it.
  std::string_view domain_text() {
    const std::size_t begin = at_;
    const bool is_literal = !at_end() && peek() == '[';
    const std::size_t end = is_literal ? text_.find(']', at_) : text_.find_first_of(">,: \t", at_);
    if (end == std::string_view::npos)
      at_ = text_.size();
    else
      at_ = is_literal ? end + 1 : end;
    return text_.substr(begin, at_ - begin);
  }

  std::string_view text_;
  bool utf8_;
  std::size_t at_ = 0;
  bool bracketed_ = false;
};

}  // namespace

Result<ParsedPath, PathError> parse_path(std::string_view text, PathKind kind, bool utf8) {
  return PathParser(text, utf8).parse(kind);
}

Result<std::string, PathError> parse_domain(std::string_view text, bool utf8) {
  if (text.starts_with('[')) return parse_literal(text);
  if (text.empty()) return PathError::no_domain;
  if (const auto error = check_utf8(text, utf8)) return *error;
  if (text.ends_with('.')) text.remove_suffix(1);
  if (const auto error = check_labels(text)) return *error;
  if (text.size() > most_domain_octets) return PathError::domain_too_long;
  if (!is_domain_name(text, /*underscores=*/true, utf8)) return PathError::bad_domain;
  return text::to_lower(text);
}

}  // namespace sallyport::smtp
