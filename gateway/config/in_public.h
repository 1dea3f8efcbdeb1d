// The configuration as those may see it who cannot read its files: names that may contain a secret (a DNS list's zone
// with a customer's key, policies/in_public.h) are shown as they may be shown in public.
#pragma once

#include <string>
#include <string_view>

#include "gateway/config/load.h"

namespace sallyport::config {

// A full path, for the log and for messages: `policy.dnsbl.zones."KEY.list.example".score` gives
// `policy.dnsbl.zones."list.example".score`. Other paths are given back as they are.
std::string path_in_public(std::string_view path);

// One name of a collection, given by the collection's path ("policy.dnsbl.zones.*").
std::string name_in_public(std::string_view collection, std::string_view name);

// The same for all values. Names that would be the same in public get a number: "list.example#2".
Loaded in_public(Loaded loaded);

}  // namespace sallyport::config
