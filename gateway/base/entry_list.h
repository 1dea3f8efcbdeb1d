// EntryList: a long list of domains, addresses, networks or words, read from a text and then only asked. Flat: the
// entries' octets in a row, and a hash table of numbers beside them, so that a million entries of 20 octets take some
// 35 MB and one question some hundred nanoseconds. Immutable, so all threads share it.
//
// One entry a line; empty lines, and what follows # or ; at the begin of a line or behind white space, do not count;
// nor does a byte order mark at the begin of the text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/fields.h"
#include "gateway/base/network_set.h"
#include "gateway/base/result.h"
#include "gateway/base/sip_hash.h"

namespace sallyport {

enum class EntryKind : std::uint8_t {
  domain,   // the domain itself and all below it; "*.example.org" and ".example.org" mean the same
  address,  // user@domain, in any case
  network,  // CIDR, or one address
  word,     // any text without white space at its ends, in any case (letters.h)
};

template <>
inline constexpr auto words_of<EntryKind> = std::to_array<std::string_view>({"domain", "address", "network", "word"});

class EntryList {
 public:
  // Failure: "line 12: not a domain name"; at the first line that is no entry of the kind, and when the text is longer
  // than most_octets.
  static Result<std::shared_ptr<const EntryList>> parse(std::string_view text, EntryKind kind);
  // The same of a file; the failure begins with its path.
  static Result<std::shared_ptr<const EntryList>> read(const std::string& path, EntryKind kind);

  // A file's octets, as a list may have them.
  static Result<std::string> file_octets(const std::string& path);

  static constexpr std::size_t most_octets = std::size_t{512} << 20;  // of the file

  // Whether the list has it. What cannot be an entry of this kind is in no list.
  bool contains(std::string_view what) const;

  EntryKind kind() const { return kind_; }
  std::size_t size() const { return count_; }
  std::size_t octets() const;  // of memory

 private:
  explicit EntryList(EntryKind kind);

  std::size_t slot_of(std::string_view entry) const;
  bool has(std::string_view entry) const;
  std::string_view entry_at(std::uint32_t number) const;
  void add(std::string_view entry);
  void grow();

  const EntryKind kind_;
  HashKey key_;
  std::size_t count_ = 0;
  std::string octets_;                // the entries, each followed by LF
  std::vector<std::uint32_t> slots_;  // where an entry begins, plus 1; 0: free
  NetworkSet networks_;
};

}  // namespace sallyport
