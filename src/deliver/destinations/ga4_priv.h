/* deliver/destinations/ga4_priv.h - Google Analytics 4 by the Measurement Protocol: docs/ga4.md.
 *
 * Google says 2xx to everything and drops in silence what it does not like, so whatever it would
 * drop is put right here, or left out, and counted. Rules and limits are those of the protocol's
 * reference and of "Event collection limits" in the help of Analytics; lengths are characters.
 */
#ifndef DELIVER_DESTINATIONS_GA4_PRIV_H
#define DELIVER_DESTINATIONS_GA4_PRIV_H

#include "codec/json.h"
#include "deliver/destination_priv.h"

enum {
    GA4_EVENTS = 25, /* of one request */
    GA4_BYTES = 130000,
    GA4_PARAMS = 25, /* of one event */
    GA4_NAME = 40,   /* of an event or a parameter */
    GA4_VALUE = 100, /* of a parameter, but for these */
    GA4_PAGE_TITLE = 300,
    GA4_PAGE_REFERRER = 420,
    GA4_PAGE_LOCATION = 1000,
    GA4_ITEMS = 200,
    GA4_ITEM_CUSTOM = 10, /* parameters of an item that Google has no name for */
    GA4_USER_PROPERTIES = 25,
    GA4_PROPERTY_NAME = 24,
    GA4_PROPERTY_VALUE = 36,
    GA4_USER_ID = 256,
};
#define GA4_BACK_MS (72LL * 3600 * 1000) /* how far back an event may lie */

/* ---- ga4_limits.c: what Google takes ---- */

enum ga4_type { GA4_ANY, GA4_TEXT, GA4_NUMBER, GA4_CURRENCY };

bool ga4_reserved_event(struct str name); /* these cannot be sent */
bool ga4_reserved_param(struct str name);
bool ga4_reserved_property(struct str name);
/* An event's name as Google takes it: white space and what is neither letter nor digit becomes '_', what does not
 * begin with a letter, or begins as Google's own do, gets "e_" before it. Empty for an empty one. */
struct str ga4_event_name(struct str name, struct arena *a);
/* Likewise of a parameter or user property, but nothing is put before it. */
struct str ga4_name(struct str name, struct arena *a);
/* The first `most` characters. */
struct str ga4_cut(struct str s, uint32_t most);
/* "1307714608.1760043792" as it is; of any other text two numbers made from its SHA-256. */
struct str ga4_client_id(struct str text, struct arena *a);
/* Digits as they are; a pseudonym or hash (hexadecimal) as a number made of it; else empty. */
struct str ga4_session_id(struct str text, struct arena *a);

/* ---- one event ---- */

struct ga4_fitting {
    struct arena *a;
    const struct json_doc *doc; /* what may leave of the event */
    struct str *name;           /* for fitted.names */
    uint32_t name_count, name_room;
    uint32_t cut, omitted;
};

enum ga4_note { GA4_TAKEN, GA4_CUT, GA4_OMITTED };
/* What became of a field: `above` ("properties") and its key below it, or "" and the field itself. */
void ga4_note(struct ga4_fitting *f, struct str above, struct str key, enum ga4_note note);

/* Writes one value as Google takes it, a string literal or a number, of at most that many characters. False and
 * nothing written when it does not: not a scalar, not of that type. *ret_changed: it was cut or changed in what it says. */
bool ga4_value(struct ga4_fitting *f, uint32_t value, enum ga4_type type, uint32_t most,
               struct buf *to, bool *ret_changed);

/* ga4_event.c: writes {"name":…,"params":{…},"timestamp_micros":…}. */
enum reason ga4_event(struct ga4_fitting *f, bool device_fields, int64_t received_ms, int64_t at_ms,
                      struct buf *to);

/* ga4_fit.c */
enum reason ga4_fit(const struct conf_destination *conf, const struct outgoing_event *event,
                    int64_t at_ms, struct arena *a, struct fitted *ret_fitted);
/* "consent":{…} */
void ga4_write_consent(uint32_t claims, struct buf *to);

#endif
