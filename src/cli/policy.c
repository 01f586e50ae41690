#include "cli/cmd.h"

#include "policy/compile.h"

int cmd_policy(const struct conf *c, struct store_reader *r, struct arena *a,
               struct frozen *ret_frozen, const struct policy **ret_policy)
{
    struct policy_news news;
    struct frozen stored;
    AUTO(buf_fini) struct buf reports = BUF_INIT(LIMIT_CONF);
    enum err e = store_load_frozen(r, a, &stored);
    if (e != OK)
        return cmd_fail(EXIT_FAILED, "the database cannot be read: %s", err_text(e));
    e = policy_compare(c, &stored, a, &news, &reports);
    if (e == OK) {
        policy_freeze(&stored, &news, a, ret_frozen);
        e = policy_compile(c, ret_frozen, 0, a, ret_policy, &reports);
    }
    cmd_print(stderr, buf_view(&reports));
    return e == OK ? EXIT_DONE : EXIT_USAGE;
}
