// DnsList: one DNS list as a worker asks it, whatever is listed there: what the settings say of it, and what is known
// of its health.
#pragma once

#include <string>
#include <vector>

#include "policies/lists/list_health.h"
#include "policies/lists/list_settings.h"

namespace sallyport::policies {

struct DnsList {
  std::string zone;
  std::string name;  // in public
  std::vector<ReplyRange> hits;
  SelfTest self_test = SelfTest::automatic;
  // It belongs to no mail and to no configuration: all policies, tenants and workers that have the zone share it
  // (list_table.h).
  ListHealth& health;
};

}  // namespace sallyport::policies
