#include "api/server.h"
#include "cli/cmd.h"

int cmd_serve(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return cmd_fail(EXIT_USAGE, "takes no arguments");
    struct conf *conf = NULL;
    int code = cmd_conf_warn(&conf);
    if (code != EXIT_DONE)
        return code;
    AUTO(buf_fini) struct buf reports = BUF_INIT(LIMIT_CONF);
    struct err_info info = { 0 };
    struct server *server = NULL;
    enum err e = server_open(conf, &server, &reports, &info);
    cmd_print(stderr, buf_view(&reports));
    if (e != OK)
        return cmd_fail(e == ERR_CONFLICT || e == ERR_VALUE || e == ERR_LIMIT ? EXIT_USAGE
                                                                              : EXIT_FAILED,
                        "%s", info.text);
    server_run(server);
    server_close(&server);
    return EXIT_DONE;
}
