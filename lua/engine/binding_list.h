// The libraries and object types of the binding table; each is defined in a file of its own, which includes this. A new
// one is declared here and listed in bindings.cpp.
#pragma once

#include "lua/engine/bindings.h"

namespace sallyport::lua {

extern const Library rule_library;       // rule_library.cpp
extern const Library setting_library;    // setting_library.cpp
extern const Library verdict_library;    // verdict_library.cpp
extern const Library regex_set_library;  // regex_set_library.cpp
extern const Library regex_library;      // regex_library.cpp
extern const Library dns_library;        // dns_library.cpp
extern const Library parallel_library;   // parallel_library.cpp
extern const Library net_library;        // net_library.cpp
extern const Library address_library;    // address_object.cpp
extern const Library text_library;       // text_library.cpp
extern const Library hash_library;       // hash_library.cpp
extern const Library json_library;       // json_library.cpp
extern const Library memory_library;     // memory_library.cpp
extern const Library log_library;        // log_library.cpp
extern const Library list_library;       // list_library.cpp
extern const Library http_library;       // http_library.cpp

extern const ObjectType transaction_type;  // transaction_objects.cpp
extern const ObjectType client_type;
extern const ObjectType tls_type;
extern const ObjectType auth_type;
extern const ObjectType message_type;    // message_object.cpp
extern const ObjectType part_type;       // part_object.cpp
extern const ObjectType url_type;        // url_object.cpp
extern const ObjectType address_type;    // address_object.cpp
extern const ObjectType regex_set_type;  // regex_set_library.cpp
extern const ObjectType regex_type;      // regex_library.cpp
extern const ObjectType net_type;        // net_library.cpp
extern const ObjectType list_type;       // list_library.cpp
extern const ObjectType verdict_type;    // verdict_library.cpp

}  // namespace sallyport::lua
