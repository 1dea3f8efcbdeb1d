// The binding table: everything of the gateway that rules can call or read, as constants.
//
// From it come the functions and fields that a Lua state gets (registration.h), the checks of their arguments
// (argument_check.h), the search of a rule file's text for names that do not exist (source_check.h), the reference
// lua/reference.md and the stubs for editors lua/sallyport.lua (reference.h). So a function is one entry: its name,
// what it takes and gives, a sentence about it, and the C++ function that does it.
//
// A library is a file of its own that defines a `const Library` or ObjectType; binding_list.h declares them,
// bindings.cpp lists them. Every text here is written into the reference as it is.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct lua_State;

namespace sallyport::lua {

// What a value may be. A number is never taken for its text, nor a text for a number.
enum class Kind : std::uint8_t {
  text,        // a string of any octets
  line,        // a string without control characters, such as CR, LF and NUL
  field_name,  // the name of a header field: printable ASCII without spaces and colons
  domain,      // a domain name: letters, digits, hyphens, underscores and U-labels
  ip,          // an IPv4 or IPv6 address
  integer,
  number,  // finite
  boolean,
  list,        // a table with the entries 1 to n
  table,       // a table with the fields that Argument::fields names, and no others
  dictionary,  // a table with any keys
  function,
  any,  // anything but nil
};

// An argument of a function, or a field of a table that is an argument.
struct Argument {
  static constexpr double unlimited = 1e15;

  std::string_view name;
  Kind kind = Kind::any;
  std::string_view about;
  bool required = true;  // false: nil stands for a value that is left out
  // The bounds of a number; of a string `most` counts octets, of a list, a table and a dictionary its entries.
  double least = -unlimited;
  double most = 0;         // 0: what most_of() says
  Kind items = Kind::any;  // of a list
  // Of a table: what it may have. Those of a dictionary stand in the reference only; its function checks them.
  std::span<const Argument> fields = {};
  // How the reference and the stubs write the type; empty: as the kind says.
  std::string_view type = {};
};

struct Returned {
  std::string_view type;  // "string?", "address[]", "tx.client"; names of object types are their `name`
  std::string_view name;
  std::string_view about = {};
};

inline constexpr std::size_t most_arguments = 5;

struct Function {
  std::string_view name;
  std::string_view about;
  // Called with exactly the arguments of the table (nil where one is left out), which have been checked; those of a
  // method come after the object. A table that is frozen has been replaced by its contents.
  int (*call)(lua_State* L) = nullptr;
  std::array<Argument, most_arguments> arguments{};  // up to the first without a name
  std::array<Returned, 3> returns{};                 // up to the first without a type
  bool waits = false;                                // it may wait, so it can be called only where Lua can yield
};

// Functions that rules find under `path`: "sp", "sp.dns". Several libraries may have the same path.
struct Library {
  std::string_view path;
  std::string_view about;
  std::span<const Function> functions;
};

// Something that can be read of an object.
struct Field {
  std::string_view name;
  std::string_view type;  // as Returned::type
  std::string_view about;
  void (*push)(lua_State* L);  // pushes one value; the object is at index 1
};

// The type of a value that only the gateway makes, such as tx. Rules cannot change it, and get nothing of it but its
// fields and methods; any other name is an error.
struct ObjectType {
  std::string_view name;  // "tx", "tx.msg", "address"
  std::string_view about;
  std::span<const Field> fields = {};
  std::span<const Function> methods = {};
  // It is a Handle (objects.h): it belongs to one run, and using it in another is an error.
  bool is_handle = false;
  // It may be made while a file loads and be kept for the runs.
  bool is_constant = false;
  int (*to_text)(lua_State* L) = nullptr;  // tostring(); null: the type's name
  int (*destroy)(lua_State* L) = nullptr;  // __gc; null: its memory is all it has
};

// All of them, in the order of the reference.
std::span<const Library* const> libraries();
std::span<const ObjectType* const> object_types();
// Null: there is no such type. The name may end in "?".
const ObjectType* find_object_type(std::string_view name);

// The names of the functions, libraries and fields below `owner`: "sp", "sp.dns" or an object type's name. Sorted.
std::vector<std::string> names_below(std::string_view owner);
// True for a name below `owner` that a later version will have.
bool is_planned(std::string_view owner, std::string_view name);
// What is wrong with the name: "sp.rejct does not exist; did you mean sp.reject?". `member` must not be one of
// names_below(owner).
std::string complaint_about(std::string_view owner, std::string_view member);

// The bound of a value: Argument::most, or what its kind has.
double most_of(const Argument& argument);
// How the type of an argument is written: "string", "integer", "string[]", "{ score?: number }".
std::string type_of(const Argument& argument);

template <class List>
std::size_t count_named(const List& list) {
  std::size_t count = 0;
  while (count < list.size() && !list[count].name.empty()) ++count;
  return count;
}
inline std::span<const Argument> arguments_of(const Function& function) {
  return std::span(function.arguments).first(count_named(function.arguments));
}
inline std::span<const Returned> returns_of(const Function& function) {
  std::size_t count = 0;
  while (count < function.returns.size() && !function.returns[count].type.empty()) ++count;
  return std::span(function.returns).first(count);
}

}  // namespace sallyport::lua
