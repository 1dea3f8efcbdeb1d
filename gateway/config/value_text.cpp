// The text side of value.h: values as TOML, and the words for what is expected.
#include <charconv>

#include "gateway/base/ensure.h"
#include "gateway/config/value.h"

namespace sallyport::config {
namespace {

std::string to_text(const SocketAddress& address) { return quote(address.to_string()); }
std::string to_text(const IpNetwork& network) { return quote(network.to_string()); }
std::string to_text(const std::string& text) { return quote(text); }
std::string to_text(const policies::ReplyRange& range) {
  if (range.first == range.last) return quote(range.first.to_string());
  return quote(range.first.to_string() + "-" + range.last.to_string());
}
std::string to_text(const tls::CertificateFiles& files) {
  return "{ chain = " + quote(files.chain) + ", key = " + quote(files.key) + " }";
}

// One function per alternative of Value.
struct Writer {
  Type type;

  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::uint64_t value) const {
    return type == Type::size ? quote(size_to_text(value)) : std::to_string(value);
  }
  std::string operator()(double value) const {
    char buffer[64];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
    std::string text(buffer, end.ptr);
    // TOML takes a number without a dot or exponent for an integer.
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
    return text;
  }
  std::string operator()(const std::string& value) const { return quote(value); }
  std::string operator()(Duration value) const { return quote(sallyport::to_text(value)); }
  std::string operator()(const std::optional<Rate>& value) const {
    return value ? quote(sallyport::to_text(*value)) : "\"off\"";
  }
  std::string operator()(const SocketAddress& value) const { return to_text(value); }
  template <class T>
  std::string operator()(const std::vector<T>& list) const {
    std::string text = "[";
    for (const T& item : list) {
      if (text.size() > 1) text += ", ";
      text += to_text(item);
    }
    return text + "]";
  }
};

}  // namespace

std::string quote(std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (octet < 0x20 || octet == 0x7f) {
      out += "\\u00";
      out += hex[octet >> 4];
      out += hex[octet & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string to_toml(const Value& value, Type type) { return std::visit(Writer{type}, value); }

std::string_view name(Type type) {
  switch (type) {
    case Type::text:
      return "text";
    case Type::word:
      return "word";
    case Type::boolean:
      return "boolean";
    case Type::integer:
      return "integer";
    case Type::number:
      return "number";
    case Type::duration:
      return "duration";
    case Type::size:
      return "size";
    case Type::rate:
      return "rate";
    case Type::networks:
      return "list of networks";
    case Type::address:
      return "address";
    case Type::addresses:
      return "list of addresses";
    case Type::domain:
      return "domain name";
    case Type::domains:
      return "list of domains";
    case Type::path:
      return "path";
    case Type::globs:
      return "list of file patterns";
    case Type::reply_ranges:
      return "list of reply ranges";
    case Type::certificates:
      return "certificates";
    case Type::log_target:
      return "log target";
  }
  broken("Type: not one of its values");
}

std::string expectation(const Shape& shape) {
  switch (shape.type) {
    case Type::text:
      return "a text that is not empty";
    case Type::word: {
      std::string text = "one of ";
      for (const std::string_view word : shape.words) {
        if (word != shape.words.front()) text += ", ";
        text += quote(word);
      }
      return text;
    }
    case Type::boolean:
      return "true or false";
    case Type::integer:
      return "an integer";
    case Type::number:
      return "a number";
    case Type::duration:
      return "a duration like \"5s\"";
    case Type::size:
      return "a size like \"25MiB\"";
    case Type::rate:
      return "a rate like \"300/1h burst 50\", or \"off\"";
    case Type::networks:
      return "a list of networks like [\"10.0.0.0/8\", \"192.0.2.1\"]";
    case Type::address:
      return "an address like \"192.0.2.1:25\" or \"[2001:db8::1]:25\"";
    case Type::addresses:
      return "a list of addresses like [\"192.0.2.1:25\", \"[2001:db8::1]:25\"]";
    case Type::domain:
      return "a domain name like \"mx1.example.com\"";
    case Type::domains:
      return "a list of domains like [\"example.com\", \"*.example.com\"]";
    case Type::path:
      return "a path";
    case Type::globs:
      return "a list of file patterns like [\"tenants/*.toml\"]";
    case Type::reply_ranges:
      return "a list of replies like [\"127.0.0.2\", \"127.0.0.4-127.0.0.11\"]";
    case Type::certificates:
      return "a directory with fullchain.pem and privkey.pem, { chain = \"...\", key = \"...\" }, or an array of these";
    case Type::log_target:
      return "\"stderr\", \"journal\" or \"file:/path\"";
  }
  broken("Type: not one of its values");
}

bool is_written_as_text(Type type) {
  switch (type) {
    case Type::text:
    case Type::word:
    case Type::duration:
    case Type::size:
    case Type::rate:
    case Type::address:
    case Type::domain:
    case Type::path:
    case Type::log_target:
      return true;
    default:
      return false;
  }
}

}  // namespace sallyport::config
