// Makes scripts from octets: equal octets give equal scripts. In tests the octets come from a seeded generator, in
// fuzzing from the fuzzer. Every octet string gives a script; a longer string gives a longer script.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "tests/unit/session/session_script.h"

namespace sallyport::session {

Script make_script(std::string_view octets);
// Octets for a script; the seed decides its length too.
std::string random_octets(std::uint64_t seed);
// Shortens a script for which `fails` is true, as long as `fails` stays true.
Script shrink(Script script, const std::function<bool(const Script&)>& fails);

}  // namespace sallyport::session
