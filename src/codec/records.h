/* codec/records.h - one record after another out of a long text.
 *
 * Three forms: a JSON value on each line; the items of one JSON array; rows of
 * CSV (RFC 4180: fields between double quotes may hold commas, line ends and
 * doubled quotes; line ends are LF or CRLF; a byte order mark in front is passed
 * over). The text comes in windows: the caller keeps what was not taken and adds to it.
 * JSON is cut, not checked: json_scan() does.
 *
 * Owner:  slices point into the window, fields with quotes in them into the arena.
 * Thread: any.
 * Limit:  LIMIT_RECORD bytes, LIMIT_CSV_FIELDS fields.
 */
#ifndef CODEC_RECORDS_H
#define CODEC_RECORDS_H

#include "base/arena.h"
#include "base/err.h"

#include <stdint.h>

enum records_form { RECORDS_LINES = 0, RECORDS_ARRAY, RECORDS_CSV };

struct records {
    enum records_form form;
    uint64_t line;    /* of the next byte, from 1 */
    uint64_t number;  /* records given out */
    bool marked;      /* a byte order mark was looked for */
    bool begun, over; /* an array: its [ was read, its ] was read */
};

struct record {
    uint64_t line, number; /* where it begins; which it is, from 1 */
    struct str text;       /* as it stands there; of CSV, too */
    struct str *field;     /* CSV only */
    uint32_t field_count;
};

/* Guesses from the first bytes: [ is an array, { lines, anything else CSV. */
enum records_form records_guess(struct str start);

struct records records_init(enum records_form form);

/* Takes the next record off *window. `last`: nothing comes behind the window.
 *   OK             a record
 *   ERR_STALE      the window ends within a record: ask again with more of the text
 *   ERR_NOT_FOUND  the end
 *   ERR_SYNTAX     it cannot go on; info says why
 *   ERR_LIMIT      a record is too large; of lines and CSV rows it is passed over when called again
 *                  (*window then begins behind it), of an array it cannot go on
 * Blank lines are passed over. */
enum err records_next(struct records *r, struct str *window, bool last, struct arena *a,
                      struct record *ret_record, struct err_info *info) MUST_CHECK;

#endif
