#include "gateway/config/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "gateway/base/domain_name.h"
#include "gateway/base/ensure.h"
#include "gateway/base/text.h"

namespace sallyport::config {
namespace {

// What a text stands for, or why it stands for nothing.
template <class T>
using Parsed = Result<T, Failure>;

bool has_control(std::string_view text) { return std::any_of(text.begin(), text.end(), text::is_control); }

std::string resolve_path(std::string_view path, const std::string& directory) {
  const std::filesystem::path below = std::filesystem::path(directory) / path;
  std::string resolved = below.lexically_normal().string();
  // "certs/" and "certs" are one directory.
  if (resolved.size() > 1 && resolved.back() == '/') resolved.pop_back();
  return resolved;
}

Failure wrong(const Shape& shape, std::string_view got) {
  return Failure{"expected " + expectation(shape) + ", not " + quote(got)};
}

// "mx.example.com:25", "mx", "localhost": something a resolver would have to be asked about.
bool looks_like_host_name(std::string_view text) {
  const std::string_view host = text.substr(0, text.find(':'));
  return is_domain_name(host) && std::any_of(host.begin(), host.end(), text::is_alpha);
}

Parsed<SocketAddress> parse_address(std::string_view text, const Shape& shape) {
  if (auto address = SocketAddress::parse(text)) {
    if (address->port != 0) return *address;
    return Failure{"the port of an address is 1 to 65535, not 0"};
  }
  std::string_view bare = text;
  if (bare.size() > 2 && bare.front() == '[' && bare.back() == ']') bare = bare.substr(1, bare.size() - 2);
  if (auto ip = IpAddress::parse(bare)) {
    if (shape.port != 0) return SocketAddress{*ip, shape.port};
    return Failure{"the port is missing: expected " + expectation(shape) + ", not " + quote(text)};
  }
  if (looks_like_host_name(text))
    return Failure{"host names are not looked up here: write the IP address of " + quote(text) +
                   ", as in \"192.0.2.1:25\""};
  return wrong(shape, text);
}

Parsed<std::string> parse_domain(std::string_view text, const Shape& shape, bool wildcard) {
  std::string_view name = text;
  if (wildcard && name.starts_with("*.")) name.remove_prefix(2);
  if (!is_domain_name(name)) return wrong(shape, text);
  return text::to_lower(text);
}

Parsed<policies::ReplyRange> parse_reply(std::string_view text, const Shape& shape) {
  if (auto range = policies::parse_reply_range(text)) return *range;
  // threats.md D8: what lies outside 127/8, and the codes lists use for errors, is never a hit.
  const bool addresses = IpAddress::parse(text.substr(0, text.find('-'))).has_value();
  if (addresses)
    return Failure{quote(text) + " holds no answer that may count as a hit: those are in 127.0.0.2-127.255.254.255"};
  return wrong(shape, text);
}

Parsed<IpNetwork> parse_network(std::string_view text, const Shape& shape) {
  if (auto network = IpNetwork::parse(text)) return *network;
  const std::size_t slash = text.find('/');
  if (auto ip = IpAddress::parse(text.substr(0, slash)); ip && slash != std::string_view::npos) {
    const auto bits = text::to_number(text.substr(slash + 1), ip->is_v4() ? 32 : 128);
    if (bits)
      return Failure{quote(text) + " has bits set behind its prefix; the network is " +
                     quote(IpNetwork::of(*ip, static_cast<unsigned>(*bits)).to_string())};
  }
  return wrong(shape, text);
}

Parsed<std::string> parse_log_target(std::string_view text, const Shape& shape, const std::string& directory) {
  if (text == "stderr" || text == "journal") return std::string(text);
  if (text.starts_with("file:") && text.size() > 5 && !has_control(text))
    return "file:" + resolve_path(text.substr(5), directory);
  return wrong(shape, text);
}

// Reads one value; errors go where the reader was told to put them.
class Reader {
 public:
  Reader(const Shape& shape, const std::string& directory, ConfigErrors& errors)
      : shape_(shape), directory_(directory), errors_(errors) {}

  std::optional<Value> read(const Node& node) {
    switch (shape_.type) {
      case Type::boolean:
        if (node.kind != Node::Kind::boolean) return mismatch(node);
        return Value(node.boolean);
      case Type::integer:
        return read_integer(node);
      case Type::number:
        return read_number(node);
      case Type::size:
        return read_size(node);
      case Type::networks:
        return read_list<IpNetwork>(node, [&](std::string_view text) { return parse_network(text, shape_); });
      case Type::addresses:
        return read_list<SocketAddress>(node, [&](std::string_view text) { return parse_address(text, shape_); });
      case Type::domains:
        return read_list<std::string>(node, [&](std::string_view text) { return parse_domain(text, shape_, true); });
      case Type::globs:
        return read_list<std::string>(node, [&](std::string_view text) -> Parsed<std::string> {
          if (text.empty() || has_control(text)) return wrong(shape_, text);
          return std::string(text);
        });
      case Type::reply_ranges:
        return read_list<policies::ReplyRange>(node, [&](std::string_view text) { return parse_reply(text, shape_); });
      case Type::certificates:
        return read_certificates(node);
      default:
        return read_text(node);
    }
  }

 private:
  std::nullopt_t fail(const Node& node, std::string message) {
    errors_.push_back({node.at, std::move(message)});
    return std::nullopt;
  }
  std::nullopt_t mismatch(const Node& node) {
    std::string got(describe(node.kind));
    if (node.kind == Node::Kind::text) got += " " + quote(node.text);
    if (node.kind == Node::Kind::integer) got += " " + std::to_string(node.integer);
    if (node.kind == Node::Kind::boolean) got = node.boolean ? "true" : "false";
    return fail(node, "expected " + expectation(shape_) + ", not " + got);
  }
  std::nullopt_t out_of_range(const Node& node, const std::string& got) {
    std::string message = got + " is out of range: ";
    if (shape_.most.empty())
      message.append("at least ").append(shape_.least);
    else
      message.append(shape_.least).append(" to ").append(shape_.most);
    return fail(node, std::move(message));
  }
  // The bounds of the table are written as values are, and read by the same functions.
  template <class T, class Parse>
  bool in_range(const T& value, Parse parse) {
    const auto bound = [&](std::string_view text) -> T {
      const auto read = parse(text);
      if (!read) broken("configuration: a bound that is no value of its key's type");
      return *read;
    };
    if (!shape_.least.empty() && value < bound(shape_.least)) return false;
    return shape_.most.empty() || !(bound(shape_.most) < value);
  }

  std::optional<Value> read_integer(const Node& node) {
    if (node.kind != Node::Kind::integer) return mismatch(node);
    const auto parse = [](std::string_view text) { return text::to_number(text); };
    if (node.integer < 0 || !in_range(static_cast<std::uint64_t>(node.integer), parse))
      return out_of_range(node, std::to_string(node.integer));
    return Value(static_cast<std::uint64_t>(node.integer));
  }

  std::optional<Value> read_number(const Node& node) {
    if (node.kind != Node::Kind::number && node.kind != Node::Kind::integer) return mismatch(node);
    const auto parse = [](std::string_view text) {
      double bound = 0;
      std::from_chars(text.data(), text.data() + text.size(), bound);
      return std::optional(bound);
    };
    if (!std::isfinite(node.number) || !in_range(node.number, parse))
      return out_of_range(node, std::isfinite(node.number) ? to_toml(node.number, Type::number) : "this");
    return Value(node.number);
  }

  std::optional<Value> read_size(const Node& node) {
    std::optional<std::uint64_t> octets;
    if (node.kind == Node::Kind::integer && node.integer >= 0) octets = static_cast<std::uint64_t>(node.integer);
    if (node.kind == Node::Kind::text) octets = parse_size(node.text);
    if (!octets) return mismatch(node);
    if (!in_range(*octets, parse_size)) return out_of_range(node, size_to_text(*octets));
    return Value(*octets);
  }

  std::optional<Value> read_text(const Node& node) {
    if (node.kind != Node::Kind::text) return mismatch(node);
    if (node.text.empty() && shape_.may_be_empty) return Value(std::string());
    switch (shape_.type) {
      case Type::word:
        return read_word(node);
      case Type::duration: {
        const auto duration = parse_duration(node.text);
        if (!duration) return mismatch(node);
        if (!in_range(*duration, parse_duration)) return out_of_range(node, quote(node.text));
        return Value(*duration);
      }
      case Type::rate: {
        if (node.text == "off") return Value(std::optional<Rate>());
        const auto rate = parse_rate(node.text);
        if (!rate) return mismatch(node);
        return Value(std::optional(*rate));
      }
      case Type::address:
        return take<SocketAddress>(node, parse_address(node.text, shape_));
      case Type::domain:
        return take<std::string>(node, parse_domain(node.text, shape_, false));
      case Type::log_target:
        return take<std::string>(node, parse_log_target(node.text, shape_, directory_));
      case Type::path:
        if (node.text.empty() || has_control(node.text)) return mismatch(node);
        return Value(resolve_path(node.text, directory_));
      default:
        if (node.text.empty() || has_control(node.text)) return mismatch(node);
        return Value(node.text);
    }
  }

  std::optional<Value> read_word(const Node& node) {
    if (std::find(shape_.words.begin(), shape_.words.end(), node.text) != shape_.words.end()) return Value(node.text);
    std::string message = "expected " + expectation(shape_) + ", not " + quote(node.text);
    const std::vector<std::string> words(shape_.words.begin(), shape_.words.end());
    const std::string_view meant = text::did_you_mean(node.text, words);
    if (!meant.empty()) message += "; did you mean " + quote(meant) + "?";
    return fail(node, std::move(message));
  }

  template <class T>
  std::optional<Value> take(const Node& node, Parsed<T> parsed) {
    if (!parsed) return fail(node, parsed.error().message);
    return Value(std::move(*parsed));
  }

  template <class T, class Parse>
  std::optional<Value> read_list(const Node& node, Parse parse) {
    if (node.kind != Node::Kind::array) return mismatch(node);
    std::vector<T> list;
    bool good = true;
    for (const Node& item : node.items) {
      if (item.kind != Node::Kind::text) {
        mismatch(item);
        good = false;
        continue;
      }
      Parsed<T> parsed = parse(item.text);
      if (parsed) {
        list.push_back(std::move(*parsed));
      } else {
        fail(item, parsed.error().message);
        good = false;
      }
    }
    if (!good) return std::nullopt;
    if (list.size() < text::to_number(shape_.least).value_or(0)) return fail(node, "this list must not be empty");
    return Value(std::move(list));
  }

  std::optional<Value> read_certificates(const Node& node) {
    std::vector<tls::CertificateFiles> files;
    bool good = true;
    if (node.kind == Node::Kind::array) {
      for (const Node& item : node.items) good = read_certificate(item, files) && good;
    } else {
      good = read_certificate(node, files);
    }
    if (!good) return std::nullopt;
    return Value(std::move(files));
  }

  bool read_certificate(const Node& node, std::vector<tls::CertificateFiles>& files) {
    if (node.kind == Node::Kind::text && !node.text.empty() && !has_control(node.text)) {
      const std::string directory = resolve_path(node.text, directory_);
      files.push_back({directory + "/fullchain.pem", directory + "/privkey.pem"});
      return true;
    }
    if (node.kind != Node::Kind::table) {
      mismatch(node);
      return false;
    }
    tls::CertificateFiles pair;
    bool good = true;
    for (const Member& member : node.members) {
      std::string* file = member.key == "chain" ? &pair.chain : member.key == "key" ? &pair.key : nullptr;
      if (file == nullptr) {
        errors_.push_back(
            {member.at, "unknown key " + quote(member.key) + ": a certificate has \"chain\" and \"key\""});
        good = false;
      } else if (member.value.kind != Node::Kind::text || member.value.text.empty() || has_control(member.value.text)) {
        fail(member.value, "expected a file name, not " + std::string(describe(member.value.kind)));
        good = false;
      } else {
        *file = resolve_path(member.value.text, directory_);
      }
    }
    if (good && (pair.chain.empty() || pair.key.empty())) {
      fail(node,
           std::string("a certificate needs both files: ") + (pair.chain.empty() ? "chain" : "key") + " is missing");
      good = false;
    }
    if (good) files.push_back(std::move(pair));
    return good;
  }

  const Shape& shape_;
  const std::string& directory_;
  ConfigErrors& errors_;
};

}  // namespace

std::optional<Value> parse_value(const Node& node, const Shape& shape, const std::string& directory,
                                 ConfigErrors& errors) {
  return Reader(shape, directory, errors).read(node);
}

}  // namespace sallyport::config
