#include "cli/cmd.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static const struct cmd commands[] = {
    { "serve", "", "Run the daemon",
      "Runs until SIGTERM or SIGINT. SIGHUP reads the configuration again.\n", cmd_serve },
    { "check", "[--live]", "Check the configuration",
      "Prints every fault and warning as file:line:column with a caret. Compares with what is\n"
      "frozen in the database, when there is one.\n"
      "--live   Also look at each destination and hook. Nobody's data is sent: ga4 is asked to "
      "validate a\n"
      "         made-up event, of the others it is seen whether they can be reached.\n",
      cmd_check },
    { "explain", "EVENT | --sample FILE [--gpc] [--dnt] | --denied",
      "Why an event was sent or stopped",
      "EVENT            The id of a stored event.\n"
      "--sample FILE    Judge a message (JSON, as an SDK sends it) by what is known now; - is "
      "standard input.\n"
      "--gpc, --dnt     The sample came with Global Privacy Control or Do Not Track.\n"
      "--denied         What was stopped and not stored, by hour, destination and reason.\n",
      cmd_explain },
    { "verify", "[--head GROUP:HASH] | FILE [--key FILE|KEY] [--authority FILE]",
      "Check the hash chain and every record, or a proof",
      "Reads everything again, on the live database too. Names each record that does not agree.\n"
      "--head GROUP:HASH   The chain must still hold this head, as it was noted earlier.\n"
      "FILE                A proof that export-proof wrote; - is standard input. Needs nothing "
      "else:\n"
      "                    no configuration, no database. Says what it proves, or which record "
      "fails.\n"
      "--key FILE|KEY      The operator's public key, or a file of them as keys list prints it.\n"
      "--authority FILE    Certificates (PEM) that time stamps must come from.\n",
      cmd_verify },
    { "export-proof", "--subject ID | --from DATE --to DATE [--out FILE]",
      "Write a proof that stands alone",
      "Everything recorded about a subject, or in a time, with the texts and notices that it "
      "rests\n"
      "on, in one signed file that licet verify FILE checks. Works while the daemon runs.\n"
      "--out FILE   Must not exist; default: standard output. It holds personal data.\n",
      cmd_export_proof },
    { "keys", "list | new", "The key that proofs are signed with, and those before it",
      "list   Public keys, oldest first. Publish this list, so that others can compare.\n"
      "new    Makes a new key, to which the one in use hands over.\n",
      cmd_keys },
    { "backup", "FILE", "Write a consistent copy of the database",
      "Works while the daemon runs. FILE must not exist.\n", cmd_backup },
    { "deliveries",
      "[--state dead|retry|sending] | --resend ID|all | --export | list | pause DESTINATION | "
      "resume DESTINATION",
      "Dead letters, destinations, and what became of every event",
      "Lists outgoing requests that are not finished: the first 100 dead letters, or those of "
      "--state.\n"
      "--resend            Makes dead letters due again.\n"
      "--export            Prints every stored event as a line of JSON: what was decided at\n"
      "                    collection for each destination, and what became of it. Works without a "
      "daemon, too.\n"
      "list                How each destination stands: closed (requests flow), probing or open "
      "(after failures), paused.\n"
      "pause DESTINATION   Begins nothing more there, over restarts too; what is on its way is "
      "finished.\n"
      "resume DESTINATION  Goes on where it stood.\n"
      "All but --export need a running daemon.\n",
      cmd_deliveries },
    { "hooks", "[list] | dead | waiting | resend ID|HOOK|all | pause HOOK | resume HOOK",
      "Who is told what the consent database recorded, and what waits",
      "list           How each hook stands: closed (messages flow), probing or open (after\n"
      "               failures), paused.\n"
      "dead, waiting  The first 100 messages that were given up, or are to be tried again.\n"
      "resend         Makes dead messages due again: one, those of a hook, or all.\n"
      "pause HOOK     Tells it nothing more, over restarts too; what is on its way is finished.\n"
      "resume HOOK    Goes on where it stood, also after its receiver said that it is gone.\n"
      "Needs a running daemon.\n",
      cmd_hooks },
    { "import",
      "FILE [--kind consents|subjects|notices] [--format ndjson|array|csv] [--map COLUMN=FIELD]... "
      "[--id NAME] [--wait SECONDS] [--dry-run]",
      "Take in consents, subjects or legal notices of another system",
      "FILE holds a JSON record on each line, one array of them, or CSV with a header.\n"
      "--map COLUMN=FIELD   What a column of CSV is; nothing behind the sign leaves it out.\n"
      "--id NAME            The import's name; else made of the file's content. With the same name "
      "it\n"
      "                     goes on where it stood.\n"
      "--wait SECONDS       How long to wait for a daemon that is gone (60).\n"
      "--dry-run            Checks every record and writes nothing.\n"
      "Prints each record that was refused as FILE:LINE: field: why, and ends with 1 if there was "
      "one.\n"
      "Needs a running daemon. Does not matter if it, or this, is killed: run the same again.\n",
      cmd_import },
    { "export", "consents|subjects|notices [--from TIME] [--to TIME] [--format ndjson|csv]",
      "Print all consents, subjects or legal notices",
      "As it is at one moment; works while the daemon runs. licet import takes it in elsewhere.\n"
      "--from, --to   By timestamp (of subjects: by their last change), ends included.\n",
      cmd_export },
    { "consent",
      "add --subject ID --grant PURPOSE... --refuse PURPOSE... --at TIME --taken-by WHO --kept-at "
      "WHERE",
      "Record a consent given on paper or by word",
      "--at TIME               When it was given.\n"
      "--taken-by WHO          Who took it.\n"
      "--kept-at WHERE         Where the paper is.\n"
      "--place, --note TEXT    Where it was given; anything else.\n"
      "--text PURPOSE=VERSION  Which text was shown; else the one in force at that time.\n"
      "--notice NAME=VERSION   A legal notice that was shown.\n"
      "--document ID           The scan, uploaded before.\n"
      "--email, --first-name, --last-name, --full-name TEXT\n"
      "Needs a running daemon.\n",
      cmd_consent },
    { "void", "--purpose ID --version N --reason TEXT [--from DATE]",
      "Declare a text void: nothing leaves on it any more",
      "Cannot be taken back. What waits on it is dropped; when it says so, nothing is on its way "
      "any\n"
      "more. Without --from it is void from now on. Needs a running daemon.\n",
      cmd_void },
    { "report",
      "consent --subject ID [--json] | voided [--purpose ID --version N] [--json] | coverage "
      "[--json]",
      "A person's consents on a page; what was sent on void texts; who holds which text",
      "consent    Which purpose, in which words, by which act, on what evidence, and what left on "
      "it.\n"
      "voided     What had been sent on each text that is void, to whom, when.\n"
      "coverage   How many subjects hold which version of each purpose.\n"
      "voided and coverage need a running daemon.\n",
      cmd_report },
    { "receipt", "--subject ID [--act ID] [--format json|html|text] [--language LANGUAGE]",
      "What a person keeps of what she agreed to",
      "Of all that she said last; with --act (then --subject need not be) of that one.\n"
      "--format     text (default), json, or html: a page that can be printed or sent.\n"
      "--language   Of the texts, as far as they exist in it; licet's own words in en, de, nl.\n"
      "Works while the daemon runs.\n",
      cmd_receipt },
    { "notices", "[list] | show IDENTIFIER | confirm IDENTIFIER SHA256",
      "Watched legal notices, and what is pending of them",
      "list                        Each with its version in force and what is pending.\n"
      "show IDENTIFIER             Prints the pending text.\n"
      "confirm IDENTIFIER SHA256   It becomes the next version, in force from now on. SHA256, as\n"
      "                            list prints it (8 digits are enough), says which text was "
      "read.\n"
      "Needs a running daemon.\n",
      cmd_notices },
    { "template", "[NAME... [--set MARK=VALUE]... [--language LANGUAGE,...] [--section SECTION]]",
      "Purposes with honest texts, to begin with",
      "Without NAME lists them. Else prints what they say together in YAML, as it stands in a "
      "configuration:\n"
      "purposes with their texts in English, German and Dutch, and the destinations that they "
      "name.\n"
      "--set MARK=VALUE   Fills in [[MARK]]; while one stands, the configuration is refused. "
      "[[since]] "
      "is today.\n"
      "--language de,nl   Only these languages.\n"
      "--section SECTION  Only the entries of purposes, destinations or links, without the "
      "heading.\n"
      "Read the texts, and make them true for your site: docs/texts.md. No legal advice.\n",
      cmd_template },
    { "tail", "[--json]", "Watch decisions as they are made",
      "Needs a running daemon. Ends with Ctrl-C.\n", cmd_tail },
    { "version", "", "Print the version", "", cmd_version },
};

struct cmd_options cmd_options;
static const char *running = "licet";

static void print_usage(FILE *to)
{
    (void)fputs("licet - consent database, tracking gateway and consent gate\n\nusage: licet "
                "[--config FILE] COMMAND [...]\n\n",
                to);
    for (size_t i = 0; i < COUNT(commands); i++)
        (void)fprintf(to, "  %-12s %s\n", commands[i].name, commands[i].what);
    (void)fputs("\nlicet COMMAND --help says more. The configuration is ./licet.yaml or "
                "/etc/licet/licet.yaml\n"
                "unless --config says otherwise.\n",
                to);
}

static void print_help(const struct cmd *c)
{
    (void)printf("usage: licet %s%s%s [--config FILE]\n\n%s.\n%s%s", c->name,
                 c->arguments[0] ? " " : "", c->arguments, c->what, c->help[0] ? "\n" : "",
                 c->help);
}

int cmd_fail(int code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)fprintf(stderr, "licet %s: ", running);
    (void)vfprintf(stderr, fmt, args);
    (void)fputc('\n', stderr);
    va_end(args);
    return code;
}

void cmd_print(FILE *to, struct str text)
{
    if (text.n != 0)
        (void)fwrite(text.p, 1, text.n, to); /* a closed pipe is the reader's business */
}

static int load_conf(struct conf **ret_conf, bool warn)
{
    AUTO(buf_fini) struct buf reports = BUF_INIT(LIMIT_CONF);
    enum err e = conf_load(cmd_options.config, ret_conf, &reports);
    if (e != OK || warn)
        cmd_print(stderr, buf_view(&reports));
    return e == OK ? EXIT_DONE : EXIT_USAGE;
}

int cmd_conf(struct conf **ret_conf)
{
    return load_conf(ret_conf, false);
}

int cmd_conf_warn(struct conf **ret_conf)
{
    return load_conf(ret_conf, true);
}

int cmd_reader(const struct conf *c, struct store_reader **ret_r)
{
    struct err_info info = { 0 };
    if (store_reader_open_dir(c->data_dir, ret_r, &info) == OK)
        return EXIT_DONE;
    return cmd_fail(EXIT_FAILED, "%.*s: %s", STR_ARG(c->data_dir), info.text);
}

/* Takes --config out of the arguments, wherever it stands. */
static int take_config(int argc, char **argv)
{
    int kept = 0;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--config") == 0) {
            if (i + 1 == argc)
                return -1;
            cmd_options.config = argv[++i];
        } else if (strncmp(argv[i], "--config=", 9) == 0) {
            cmd_options.config = argv[i] + 9;
        } else {
            argv[kept++] = argv[i];
        }
    }
    argv[kept] = NULL;
    return kept;
}

static const char *default_config(void)
{
    return access("licet.yaml", F_OK) != 0 && access("/etc/licet/licet.yaml", F_OK) == 0
               ? "/etc/licet/licet.yaml"
               : "licet.yaml";
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    }
    return false;
}

static int run(const struct cmd *c, int argc, char **argv)
{
    running = c->name;
    if (wants_help(argc, argv)) {
        print_help(c);
        return EXIT_DONE;
    }
    return c->run(argc, argv);
}

int main(int argc, char **argv)
{
    if (sodium_init() < 0)
        return cmd_fail(EXIT_FAILED, "no source of randomness");
    argc = take_config(argc, argv);
    if (argc < 0) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    if (cmd_options.config == NULL)
        cmd_options.config = default_config();
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
                     strcmp(argv[1], "help") == 0)) {
        print_usage(stdout);
        return EXIT_DONE;
    }
    if (argc > 1 && strcmp(argv[1], "--version") == 0)
        return cmd_version(1, argv);
    for (size_t i = 0; argc > 1 && i < COUNT(commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return run(&commands[i], argc - 1, argv + 1);
    }
    if (argc > 1)
        (void)fprintf(stderr, "licet: no command '%s'\n\n", argv[1]);
    print_usage(stderr);
    return EXIT_USAGE;
}
