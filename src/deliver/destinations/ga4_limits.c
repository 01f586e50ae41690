#include "deliver/destinations/ga4_priv.h"

#include "codec/text.h"
#include "codec/utf8.h"

#include <sodium.h>

/* Of apps, of ads, and what Analytics makes by itself. */
static const char *const reserved_events[] = {
    "ad_activeview",
    "ad_click",
    "ad_exposure",
    "ad_impression",
    "ad_query",
    "ad_reward",
    "adunit_exposure",
    "app_clear_data",
    "app_exception",
    "app_install",
    "app_remove",
    "app_store_refund",
    "app_update",
    "app_upgrade",
    "dynamic_link_app_open",
    "dynamic_link_app_update",
    "dynamic_link_first_open",
    "error",
    "firebase_campaign",
    "firebase_in_app_message_action",
    "firebase_in_app_message_dismiss",
    "firebase_in_app_message_impression",
    "first_open",
    "first_visit",
    "in_app_purchase",
    "notification_dismiss",
    "notification_foreground",
    "notification_open",
    "notification_receive",
    "notification_send",
    "os_update",
    "screen_view",
    "session_start",
    "user_engagement",
};
static const char *const reserved_params[] = { "firebase_conversion" };
static const char *const reserved_properties[] = { "first_open_time", "first_visit_time",
                                                   "last_deep_link_referrer", "user_id",
                                                   "first_open_after_install" };
static const char *const own_prefixes[] = { "_", "firebase_", "ga_", "google_", "gtag." };

static bool among(const char *const *list, size_t count, struct str s)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(s, str_of(list[i])))
            return true;
    }
    return false;
}

static bool begins_as_googles(struct str name)
{
    for (size_t i = 0; i < COUNT(own_prefixes); i++) {
        if (str_starts(name, str_of(own_prefixes[i])))
            return true;
    }
    return false;
}

bool ga4_reserved_event(struct str name)
{
    return among(reserved_events, COUNT(reserved_events), name);
}

bool ga4_reserved_param(struct str name)
{
    return begins_as_googles(name) || among(reserved_params, COUNT(reserved_params), name);
}

bool ga4_reserved_property(struct str name)
{
    return begins_as_googles(name) || among(reserved_properties, COUNT(reserved_properties), name);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

struct str ga4_name(struct str name, struct arena *a)
{
    name = str_trim(name);
    char *to = arena_alloc(a, name.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if ((c & 0xc0) == 0x80)
            continue; /* the rest of a character that began before */
        to[n++] = is_letter((char)c) || (c >= '0' && c <= '9') ? (char)c : '_';
    }
    return (struct str){ to, n };
}

struct str ga4_event_name(struct str name, struct arena *a)
{
    struct str s = ga4_name(name, a);
    if (s.n > 0 && (!is_letter(s.p[0]) || begins_as_googles(s)))
        s = arena_printf(a, "e_%.*s", STR_ARG(s));
    return s;
}

struct str ga4_cut(struct str s, uint32_t most)
{
    size_t i = 0;
    for (uint32_t characters = 0; i < s.n; characters++) {
        if (characters == most)
            break;
        do
            i++;
        while (i < s.n && ((unsigned char)s.p[i] & 0xc0) == 0x80);
    }
    return (struct str){ s.p, i };
}

static bool is_number(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    }
    return s.n > 0 && s.n <= 20 && s.p[0] != '0';
}

struct str ga4_client_id(struct str text, struct arena *a)
{
    struct str rest = text, first;
    if (str_next(&rest, '.', &first) && is_number(first) && is_number(rest))
        return text;
    unsigned char hash[crypto_hash_sha256_BYTES];
    (void)crypto_hash_sha256(hash, (const unsigned char *)text.p, text.n);
    uint32_t part[2];
    for (size_t i = 0; i < COUNT(part); i++) {
        const unsigned char *h = hash + 4 * i;
        part[i] = ((uint32_t)h[0] << 24 | (uint32_t)h[1] << 16 | (uint32_t)h[2] << 8 | h[3]) >> 1;
    }
    return arena_printf(a, "%u.%u", part[0] | 1u, part[1] | 1u); /* positive */
}

struct str ga4_session_id(struct str text, struct arena *a)
{
    if (is_number(text))
        return text;
    struct str bytes;
    if (text.n < 32 || !hex_decode(text, a, &bytes))
        return (struct str){ 0 };
    unsigned long long number = 0;
    for (size_t i = 0; i < 6; i++)
        number = number << 8 | (unsigned char)bytes.p[i];
    return arena_printf(a, "%llu", number | 1);
}
