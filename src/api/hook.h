/* api/hook.h - how hooks stand, for /metrics. */
#ifndef API_HOOK_H
#define API_HOOK_H

#include "base/buf.h"

struct pipeline;

void hook_put_metrics(struct buf *to, struct pipeline *p);

#endif
