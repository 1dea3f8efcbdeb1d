// RandomFields: fills a value that has fields() (gateway/base/fields.h) with random members, for round-trip tests.
//
// It is a visitor like FieldWriter and FieldReader: a type that those handle needs an overload of fill() here only if
// it is not composed of other such types. Texts are empty, printable, UTF-8, full of characters that JSON escapes, or
// not UTF-8; lists have up to three items. The same seed gives the same values.
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/base/field_json.h"
#include "gateway/base/units.h"
#include "gateway/dns/question.h"

namespace sallyport::support {

class RandomFields {
 public:
  explicit RandomFields(std::uint64_t seed) : random_(seed) {}

  template <class T>
  void operator()(std::string_view, T& member) {
    fill(member);
  }

  template <class T>
  T make() {
    T whole{};
    fill(whole);
    return whole;
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  void fill(bool& yes) { yes = below(2) == 1; }
  void fill(double& number) {
    constexpr std::array<double, 6> odd{0, -0.5, 0.1, 1e300, -1e-300, 123456789.125};
    number = below(2) == 0 ? odd[below(odd.size())] : static_cast<double>(random_()) / 1e9 - 5e8;
  }
  template <std::integral T>
  void fill(T& number) {
    // Half of the time at a limit of the type.
    const std::uint64_t kind = below(4);
    if (kind == 0)
      number = std::numeric_limits<T>::min();
    else if (kind == 1)
      number = std::numeric_limits<T>::max();
    else
      number = static_cast<T>(random_());
  }
  void fill(std::string& text) {
    constexpr std::array<std::string_view, 6> odd{"",
                                                  "caf\xc3\xa9",
                                                  "a\"b\\c\r\n\t\x01\x7f",
                                                  std::string_view("nul\0in it", 9),
                                                  "\xff\xfe no UTF-8",
                                                  "{\"octets\":\"00\"}"};
    const std::uint64_t kind = below(odd.size() + 2);
    if (kind < odd.size()) {
      text = odd[kind];
      return;
    }
    text.resize(below(20));
    for (char& c : text) c = static_cast<char>(kind == odd.size() ? below(256) : 0x20 + below(0x5f));
  }
  template <Worded E>
  void fill(E& choice) {
    choice = static_cast<E>(below(words_of<E>.size()));
  }
  void fill(dns::Type& type) {
    constexpr std::array all{dns::Type::A,  dns::Type::NS,  dns::Type::CNAME, dns::Type::SOA,
                             dns::Type::MX, dns::Type::TXT, dns::Type::PTR,   dns::Type::AAAA};
    type = all[below(all.size())];
  }
  void fill(IpAddress& ip) {
    std::array<std::uint8_t, 16> octets{};
    for (std::uint8_t& octet : octets) octet = static_cast<std::uint8_t>(below(3) == 0 ? 0 : random_());
    ip = below(2) == 0 ? IpAddress::v6(octets) : IpAddress::v4({octets[0], octets[1], octets[2], octets[3]});
  }
  void fill(Duration& duration) { duration = Duration(static_cast<std::int64_t>(below(std::uint64_t{1} << 50))); }
  void fill(std::chrono::seconds& duration) { duration = std::chrono::seconds(below(std::uint64_t{1} << 32)); }
  void fill(WallTime& time) {
    time = WallTime(std::chrono::duration_cast<WallTime::duration>(std::chrono::nanoseconds(random_() >> 2)));
  }
  // A rate that the configuration allows: its count and its duration are not zero.
  void fill(Rate& rate) {
    fill(rate.per);
    rate = {1 + below(1000), rate.per + Duration(1), 1 + below(1000)};
  }
  template <class T>
  void fill(std::optional<T>& maybe) {
    maybe.reset();
    if (below(3) != 0) fill(maybe.emplace());
  }
  template <class T>
  void fill(std::vector<T>& list) {
    list.resize(below(4));
    for (T& item : list) fill(item);
  }
  template <class A, class B>
  void fill(std::pair<A, B>& both) {
    fill(both.first);
    fill(both.second);
  }
  template <class... T>
  void fill(std::variant<T...>& one) {
    fill_alternative(one, below(sizeof...(T)), std::index_sequence_for<T...>());
  }
  template <class... T, std::size_t... I>
  void fill_alternative(std::variant<T...>& one, std::uint64_t index, std::index_sequence<I...>) {
    ((index == I ? fill(one.template emplace<I>()) : void()), ...);
  }
  // A type that is written as a text of its own: it has to say itself what its values are.
  template <Texted T>
  void fill(T& value) {
    fill_random(value, [this] { return random_(); });
  }
  template <Fielded T>
  void fill(T& whole) {
    whole.fields(*this);
  }

  std::mt19937_64 random_;
};

}  // namespace sallyport::support
