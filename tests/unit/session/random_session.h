// Scripts out of octets: the same ones always make the same script. The octets come from a seeded generator in the
// tests and from the fuzzer there; every octet string is a script, a longer one a longer script.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "tests/unit/session/session_script.h"

namespace sallyport::session {

Script make_script(std::string_view octets);
// Octets for a script of some length.
std::string random_octets(std::uint64_t seed);
// A shorter script of which `fails` still holds, as it does of the one given.
Script shrink(Script script, const std::function<bool(const Script&)>& fails);

}  // namespace sallyport::session
