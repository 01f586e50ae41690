/* fuzz/fuzz_conf.c - any bytes as a configuration: loaded, or refused in words. */
#include "base/limits.h"
#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buf_fini) struct buf reports = BUF_INIT(4u << 20);
    AUTO(conf_free) struct conf *c = NULL;
    enum err e = conf_parse((struct str){ (const char *)data, size }, "fuzz.yaml", &c, &reports);
    must((e == OK) == (c != NULL));
    must(e == OK || reports.n > 0); /* never refused in silence */
    must(!reports.over);
    if (c != NULL)
        conf_report(c, (struct conf_place){ 1, 1 }, false, &reports, "seen");
    return 0;
}
