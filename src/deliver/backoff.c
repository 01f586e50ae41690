#include "deliver/backoff.h"
#include "base/id.h"
#include "base/limits.h"

int64_t backoff_delay(int64_t base_ms, uint32_t attempts, int64_t retry_after_s)
{
    int64_t most = base_ms;
    for (uint32_t i = 1; i < attempts && most < BACKOFF_MOST_MS; i++)
        most *= 2;
    if (most > BACKOFF_MOST_MS)
        most = BACKOFF_MOST_MS;
    uint64_t dice;
    random_bytes(&dice, sizeof dice);
    int64_t delay = (int64_t)(dice % (uint64_t)(most + 1));
    if (retry_after_s > LIMIT_RETRY_AFTER_S)
        retry_after_s = LIMIT_RETRY_AFTER_S;
    if (retry_after_s > 0 && delay < retry_after_s * 1000)
        delay = retry_after_s * 1000;
    return delay;
}

void backoff_failed(struct backoff *b, int64_t base_ms, int64_t now_ms, int64_t retry_after_s,
                    bool outage)
{
    b->failures++;
    b->outage = outage;
    int64_t until = now_ms + backoff_delay(base_ms, b->failures, retry_after_s);
    /* several requests fail together; none of them shortens what another was told */
    if (until > b->until_ms)
        b->until_ms = until;
}

bool backoff_succeeded(struct backoff *b, int64_t now_ms)
{
    bool ended = b->failures > 0;
    if (b->outage)
        b->reopened_ms = now_ms;
    b->failures = 0;
    b->outage = false;
    b->until_ms = 0;
    return ended;
}
