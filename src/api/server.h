/* api/server.h - the HTTP server and the loop that everything turns on.
 *
 * One thread: requests are read and handled, then pipeline_turn() commits what
 * they brought, then they are answered in the next turn. No request is handed
 * to another thread but those that only look.
 */
#ifndef API_SERVER_H
#define API_SERVER_H

#include "base/err.h"
#include "conf/conf.h"

struct server;

/* Opens everything: store, pipeline, listeners. Owns `conf` from then on. */
enum err server_open(struct conf *conf, struct server **ret_s, struct buf *reports,
                     struct err_info *info) MUST_CHECK;

/* Runs until SIGTERM or SIGINT, then stops in order: listeners closed, requests finished, last commit, no new sends,
 * tickets waited for, checkpoint. SIGHUP reloads the configuration. */
void server_run(struct server *s);
void server_close(struct server **s);

/* The port that was bound (the configuration may say 0). */
uint16_t server_port(const struct server *s);

#endif
