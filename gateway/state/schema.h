// The tables of the state database and their versions: each version is the step from the one before it.
#pragma once

#include "gateway/base/result.h"

namespace sallyport::state {

class Database;

// Makes the tables of a new file, brings those of an older version up to date (in one transaction: all steps or none),
// and refuses files that are not ours, are damaged or are of a newer version, without a change to them.
Result<Done> prepare_schema(Database& database);

}  // namespace sallyport::state
