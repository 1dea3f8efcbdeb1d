// The reference and the stubs for editors in the tree are those of the binding table. The tests run in the tree's root.
#include "lua/engine/reference.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace sallyport::lua {
namespace {

std::string file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

TEST(Reference, ThePageIsUpToDate) {
  EXPECT_TRUE(file("lua/reference.md") == reference_page()) << "sallyport rule reference > lua/reference.md";
}

TEST(Reference, TheStubsAreUpToDate) {
  EXPECT_TRUE(file("lua/sallyport.lua") == editor_stubs()) << "sallyport rule stubs > lua/sallyport.lua";
}

}  // namespace
}  // namespace sallyport::lua
