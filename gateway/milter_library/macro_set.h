// MacroSet: the macros of one stage, as names and values.
//
// Connections that wait hold macros that nobody reads any more, and most MTAs send the same ones again and again. So
// the process keeps equal sets once, until somebody reads in one: a filter gets its values as char* and may write into
// them, so a set that is read becomes its holder's own. From any thread; two threads must not use the same object at a
// time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace sallyport::milter_library {

class MacroSet {
 public:
  MacroSet() = default;
  // `pairs`: names and values, each ended by NUL.
  explicit MacroSet(std::string_view pairs);
  MacroSet(MacroSet&& other) noexcept : number_(std::exchange(other.number_, 0)) {}
  MacroSet& operator=(MacroSet&& other) noexcept;
  ~MacroSet() { reset(); }

  explicit operator bool() const { return number_ != 0; }
  void reset();
  std::string_view pairs() const;
  // The holder's own copy, which stays where it is until reset(). Throws bad_alloc when there is no memory for it.
  char* own_pairs();

  // How many sets the process keeps for more than one holder, or might.
  static std::size_t shared_sets();

 private:
  struct Block;
  struct Table;
  static Table& table();

  std::uint32_t number_ = 0;  // in the table; a pointer would be twice as large. 0: none
};

}  // namespace sallyport::milter_library
