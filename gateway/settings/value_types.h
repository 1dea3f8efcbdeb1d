// The value types that several sections use, and value_type<T>, the type of a member whose row names none.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/base/endpoint.h"
#include "gateway/base/fields.h"
#include "gateway/base/units.h"
#include "gateway/settings/value_type.h"

namespace sallyport::settings {

namespace type {

extern const TypeOf<bool> boolean;
extern const TypeOf<std::uint64_t> integer;                   // not negative
extern const TypeOf<std::uint64_t> size;                      // "25MiB", or an integer: octets
extern const TypeOf<double> number;                           // finite; may be written as an integer
extern const TypeOf<std::optional<double>> score_of_its_own;  // a number; unset: the row's fallback applies
extern const TypeOf<Duration> duration;                       // "5s"
extern const TypeOf<std::optional<Rate>> rate;                // "300/1h burst 50", or "off"
extern const TypeOf<std::vector<IpNetwork>> networks;         // array of "10.0.0.0/8"
extern const TypeOf<SocketAddress> address;                   // "192.0.2.1:25", "[2001:db8::1]:25"
// Array of addresses, "mail.example.com:25" and "unix:/path"; without a port: 25.
extern const TypeOf<std::vector<Endpoint>> servers;
extern const TypeOf<std::vector<Endpoint>> one_server;         // one of them
extern const TypeOf<std::vector<SocketAddress>> name_servers;  // array of these; without a port: 53
extern const TypeOf<std::string> text;                         // not empty, no control characters
extern const TypeOf<std::string> domain;                       // "mx1.example.com", kept as A-labels in lower case
extern const TypeOf<std::string> domain_pattern;               // that, or "*.example.com"
extern const TypeOf<std::string> path;        // relative paths count from the directory of the file that contains them
extern const TypeOf<std::string> log_target;  // "stderr", "journal", "journal:/path" or "file:/path"
extern const TypeOf<std::vector<std::string>> domains;  // array of "example.com" and "*.example.com"
extern const TypeOf<std::vector<std::string>> globs;    // array of file names with * and ?, as written

}  // namespace type

// True if the text could be a file name or another text of one line: not empty, no control characters.
bool is_plain_text(std::string_view text);

// The type of an enumeration with words (words_of, gateway/base/fields.h).
template <Worded E>
inline constexpr TypeOf<E> word_type{{"word",
                                      Form::text,
                                      {},
                                      words_of<E>,
                                      {},
                                      [](const Node& node, const Reading& reading, void* value) {
                                        const auto found = read_word(node, reading);
                                        return found && give(static_cast<E>(*found), value);
                                      },
                                      [](const void* value) { return quote(word(*static_cast<const E*>(value))); }}};

// The type of a text that must be one of a few: `inline constexpr std::array<std::string_view, 2> versions{"1.2",
// "1.3"}`.
template <const auto& Words>
inline constexpr TypeOf<std::string> one_of{
    {"word",
     Form::text,
     {},
     Words,
     {},
     [](const Node& node, const Reading& reading, void* value) {
       return read_word(node, reading).has_value() && give(std::string(node.text), value);
     },
     [](const void* value) { return quote(*static_cast<const std::string*>(value)); }}};

// The type of members of type T whose row names none. A module specializes it for its own types.
template <class T>
inline constexpr const TypeOf<T>* value_type = nullptr;
template <Worded E>
inline constexpr const TypeOf<E>* value_type<E> = &word_type<E>;
template <>
inline constexpr const TypeOf<bool>* value_type<bool> = &type::boolean;
template <>
inline constexpr const TypeOf<std::uint64_t>* value_type<std::uint64_t> = &type::integer;
template <>
inline constexpr const TypeOf<double>* value_type<double> = &type::number;
template <>
inline constexpr const TypeOf<std::optional<double>>* value_type<std::optional<double>> = &type::score_of_its_own;
template <>
inline constexpr const TypeOf<Duration>* value_type<Duration> = &type::duration;
template <>
inline constexpr const TypeOf<std::optional<Rate>>* value_type<std::optional<Rate>> = &type::rate;
template <>
inline constexpr const TypeOf<std::vector<IpNetwork>>* value_type<std::vector<IpNetwork>> = &type::networks;
template <>
inline constexpr const TypeOf<SocketAddress>* value_type<SocketAddress> = &type::address;
template <>
inline constexpr const TypeOf<std::string>* value_type<std::string> = &type::text;

}  // namespace sallyport::settings
