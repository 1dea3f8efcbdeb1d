#include "gateway/base/octet_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace sallyport {
namespace {

template <char... wanted>
std::size_t found_one_by_one(std::string_view text, std::size_t from) {
  while (from < text.size() && ((text[from] != wanted) && ...)) ++from;
  return std::min(from, text.size());
}

TEST(FindOctet, GivesTheFirstWhereverItStands) {
  // One wanted octet at each place of texts of each length around the stride, and another one behind it.
  for (std::size_t size = 0; size < 70; ++size) {
    for (std::size_t at = 0; at <= size; ++at) {
      std::string text(size, 'x');
      if (at < size) text[at] = '\xe3';
      if (at + 3 < size) text[at + 3] = '=';
      for (std::size_t from = 0; from <= size; ++from) {
        ASSERT_EQ((find_octet<'=', '\xe3'>(text, from)), (found_one_by_one<'=', '\xe3'>(text, from)))
            << size << " " << at << " " << from;
      }
    }
  }
}

TEST(FindOctet, TakesNoOtherOctetForOneThatIsWanted) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  std::erase(all, '.');
  for (std::size_t from = 0; from < all.size(); ++from) EXPECT_EQ(find_octet<'.'>(all, from), all.size());
}

}  // namespace
}  // namespace sallyport
