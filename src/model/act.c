#include "model/act.h"

const char *const act_source_name[5] = { "public", "private", "cmp", "import", "confirmation" };
const char *const act_evidence_name[8] = { "bare", "cited",  "proof", "shown",
                                           "cmp",  "import", "paper", "confirmation" };
