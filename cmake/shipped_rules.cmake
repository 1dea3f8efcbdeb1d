# Writes shipped_rules.cpp: the text of each file of rules in lua/rules, without their tests (lua/engine/shipped_rules.h).
function(sallyport_write_shipped_rules output)
  file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/lua/rules/*.lua)
  list(FILTER files EXCLUDE REGEX "_test\\.lua$")
  list(SORT files)
  set(entries)
  foreach(file ${files})
    set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    get_filename_component(name ${file} NAME_WE)
    string(TOUPPER ${name} rule)
    file(READ ${file} source)
    string(APPEND entries "    {\"${rule}\", \"${name}.lua\", R\"sallyport(${source})sallyport\"},\n")
  endforeach()
  file(GENERATE OUTPUT ${output} CONTENT "#include \"lua/engine/shipped_rules.h\"

namespace sallyport::lua {
namespace {
constexpr ShippedRule all[] = {
${entries}};
}  // namespace

std::span<const ShippedRule> shipped_rules() { return all; }

}  // namespace sallyport::lua
")
endfunction()
