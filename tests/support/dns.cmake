# What tests need of DNS: packets made by hand, a table of records, and a resolver over it.
sallyport_library(support_dns
  SOURCES dns_packet.cpp dns_zone.cpp table_resolver.cpp
  LINKS io dns async base
  PRIVATE_LINKS nlohmann_json::nlohmann_json)
add_test(NAME support.dns_server COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/dns_server_test.py)
set_tests_properties(support.dns_server PROPERTIES TIMEOUT 120)
