// Writes the binding table for people and for their editors: lua/reference.md and lua/sallyport.lua. `sallyport rule
// reference` and `sallyport rule stubs` print them; tests/unit/lua/reference_test.cpp holds the files in the tree
// against the table.
#pragma once

#include <string>

namespace sallyport::lua {

// Markdown: every function, with its arguments and results, and every object type.
std::string reference_page();
// A definition file of the Lua language server ("---@meta").
std::string editor_stubs();

}  // namespace sallyport::lua
