/* cli/cmd.h - the commands, one file each, and what they share.
 *
 * Exit 0: done. 1: failed. 2: wrong usage or configuration.
 */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include "codec/json.h"
#include "conf/conf.h"
#include "policy/policy.h"
#include "store/store.h"

#include <stdio.h>

#define PLURAL(n) ((n) == 1 ? "" : "s")

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct cmd {
    const char *name, *arguments, *what, *help;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

/* The arguments after the global ones were taken out. */
struct cmd_options {
    const char *config; /* --config FILE, or what was found */
};
extern struct cmd_options cmd_options;

/* Loads the configuration and prints its faults on standard error. EXIT_DONE or EXIT_USAGE. */
int cmd_conf(struct conf **ret_conf);
/* And its warnings, for who looks after the configuration. */
int cmd_conf_warn(struct conf **ret_conf);
/* A reader of the configured data directory, whether a daemon runs or not. */
int cmd_reader(const struct conf *c, struct store_reader **ret_r);
/* The configuration as it stands, with what is frozen. What contradicts that is printed. */
int cmd_policy(const struct conf *c, struct store_reader *r, struct arena *a,
               struct frozen *ret_frozen, const struct policy **ret_policy);
/* Writes what may be nothing. */
void cmd_print(FILE *to, struct str text);
/* Prints "licet NAME: text" on standard error and returns the code. */
int cmd_fail(int code, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A member of the daemon's answer as text; empty when it is absent. */
struct str cmd_member(const struct json_doc *d, uint32_t object, const char *name, struct arena *a);

/* One request to the running daemon by its control socket, `body` empty for none; its answer in the arena. EXIT_FAILED,
 * with a message printed, when no daemon answers or it says anything but 200. */
int cmd_call(const struct conf *c, const char *method, const char *target, struct str body,
             struct arena *a, struct str *ret_text);
/* The same, and the answer read as JSON. */
int cmd_ask(const struct conf *c, const char *method, const char *target, struct str body,
            struct arena *a, struct json_doc *ret_d);
/* "" behind one, "s" behind any other number. */
const char *cmd_plural(struct str number);
/* Whether it has the letters of a destination's or hook's id. */
bool cmd_is_id(const char *s);
/* `verb` is pause or resume, of a `what` (destination, hook) under `path`. */
int cmd_pause(const struct conf *c, const char *path, const char *what, const char *verb,
              const char *id);

/* One request without a word printed: whoever tries again looks at what came of it. */
enum cmd_sent { SENT = 0, SENT_NO_DAEMON, SENT_NO_ANSWER };
enum cmd_sent cmd_send(const struct conf *c, const char *method, const char *target,
                       struct str body, struct arena *a, int *ret_status, struct str *ret_body);

int cmd_void(int argc, char **argv);
int cmd_report(int argc, char **argv);        /* report.c: which of them */
int cmd_report_voided(int argc, char **argv); /* argv[1] is the report's name */
int cmd_report_coverage(int argc, char **argv);
int cmd_report_consent(int argc, char **argv);
int cmd_receipt(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_consent(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_export_proof(int argc, char **argv);
int cmd_keys(int argc, char **argv);
int cmd_backup(int argc, char **argv);
int cmd_tail(int argc, char **argv);
int cmd_template(int argc, char **argv);
int cmd_deliveries(int argc, char **argv);
int cmd_hooks(int argc, char **argv);
int cmd_notices(int argc, char **argv);
int cmd_version(int argc, char **argv);

#endif
