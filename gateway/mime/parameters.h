// Parameters of Content-Type and Content-Disposition, under every plausible reading of them (RFC 2045, 5.1; 2183; 2231;
// 2047 where people put encoded words that do not belong there).
//
// A field that follows its grammar has one reading and is read once. Any other is also searched for the wanted keys
// wherever they stand (in quotes, behind a comment, without a semicolon before them), and each value is taken to where
// different readers take its end. Linear but for the number of occurrences of a key, which is bounded.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/mime/oddity.h"

namespace sallyport::mime {

struct Parameter {
  std::string key;                       // lower case, without what RFC 2231 puts behind it
  std::optional<std::uint32_t> section;  // of "name*2=": 2
  bool is_extended = false;              // "name*=" or "name*2*=": with a charset and %XX
  bool is_found = false;                 // by the search, not by the grammar
  std::string value;                     // unquoted, otherwise as written
};

struct ParameterField {
  std::string value;                  // what stands before the parameters, without comments and white space at its ends
  std::vector<Parameter> parameters;  // in order; those found by the search follow
  Oddities oddities;
  bool is_over_limit = false;  // there are more parameters than are read
};

// `field`: a field's value, folded or not. `keys`: those to search for, in lower case.
ParameterField read_parameters(std::string_view field, std::span<const std::string_view> keys);

// What the parameters of this key stand for, decoded to UTF-8, the most plausible first, each once: plain values,
// extended ones, and pieces put together by number, by their order, and with later ones in place of earlier ones. Sets
// oddities for pieces that do not fit and values that are not in their proper form.
std::vector<std::string> values_of(const std::vector<Parameter>& parameters, std::string_view key, Oddities& oddities);

// The text without comments (RFC 5322, 3.2.2), which may be nested; one that is not closed goes to the end. Quoted
// strings stay as they are.
std::string without_comments(std::string_view text);

}  // namespace sallyport::mime
