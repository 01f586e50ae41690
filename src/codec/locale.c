#include "codec/locale.h"

#include "base/must.h"

#include <unicode/ucal.h>
#include <unicode/udat.h>
#include <unicode/uloc.h>
#include <unicode/ustring.h>

#include <pthread.h>

enum { NAME = 160, DAY = 22, YEAR = 3333 };

/* What ICU lacks in a language it says in the process's own: this must not depend on who starts it. */
static void set_english(void)
{
    UErrorCode e = U_ZERO_ERROR;
    uloc_setDefault("en", &e);
    must(U_SUCCESS(e));
}

static void begin(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    must(pthread_once(&once, set_english) == 0);
}

/* As ICU calls a language; "en" for what is none. */
static void locale_of(struct str language, const char *keywords, struct arena *a, char *ret_id,
                      size_t size)
{
    UErrorCode e = U_ZERO_ERROR;
    char id[ULOC_FULLNAME_CAPACITY];
    int32_t read = 0;
    struct str tag = arena_str(a, language);
    (void)uloc_forLanguageTag(tag.p, id, sizeof id, &read, &e);
    bool known = U_SUCCESS(e) && e != U_STRING_NOT_TERMINATED_WARNING && read == (int32_t)tag.n;
    (void)snprintf(ret_id, size, "%s%s", known && id[0] != 0 ? id : "en", keywords);
}

static struct str text_of(const UChar *from, int32_t n, struct arena *a)
{
    UErrorCode e = U_ZERO_ERROR;
    char *to = arena_alloc(a, 3 * NAME + 1);
    int32_t bytes = 0;
    (void)u_strToUTF8(to, 3 * NAME + 1, &bytes, from, n, &e);
    return U_SUCCESS(e) ? (struct str){ to, (size_t)bytes } : (struct str){ 0 };
}

struct str locale_country(struct str language, const char *code, struct arena *a)
{
    UErrorCode e = U_ZERO_ERROR;
    char id[2 * ULOC_FULLNAME_CAPACITY];
    UChar name[NAME];
    begin();
    locale_of(language, "", a, id, sizeof id);
    int32_t n = uloc_getDisplayCountry(arena_printf(a, "und_%s", code).p, id, name, NAME, &e);
    bool known = U_SUCCESS(e) && n < NAME && strcmp(code, "ZZ") != 0; /* CLDR's own for none */
    struct str text = known ? text_of(name, n, a) : (struct str){ 0 };
    return text.n > 0 ? text : arena_str(a, str_of(code));
}

/* ---- dates ---- */

static bool once(struct str text, const char *part)
{
    const char *at = memmem(text.p, text.n, part, strlen(part));
    return at != NULL &&
           memmem(at + 1, text.n - (size_t)(at + 1 - text.p), part, strlen(part)) == NULL;
}

static bool write_months(const char *id, struct arena *a, struct locale_dates *ret_dates)
{
    static const UChar utc[] = { 'U', 'T', 'C', 0 };
    UErrorCode e = U_ZERO_ERROR;
    UDateFormat *format = udat_open(UDAT_NONE, UDAT_LONG, id, utc, -1, NULL, 0, &e);
    UCalendar *calendar = ucal_open(utc, -1, id, UCAL_GREGORIAN, &e);
    bool fine = U_SUCCESS(e);
    for (int m = 0; fine && m < 12; m++) {
        UChar text[NAME];
        ucal_setDate(calendar, YEAR, m, DAY, &e);
        int32_t n = udat_formatCalendar(format, calendar, text, NAME, NULL, &e);
        struct str *month = &ret_dates->month[m];
        *month = U_SUCCESS(e) && n < NAME ? text_of(text, n, a) : (struct str){ 0 };
        fine = once(*month, "22") && once(*month, "3333");
    }
    ucal_close(calendar);
    udat_close(format);
    return fine;
}

static void find_dates(const char *id, struct arena *a, struct locale_dates *ret_dates)
{
    if (!write_months(id, a, ret_dates))
        must(write_months("en@calendar=gregorian;numbers=latn", a, ret_dates));
}

/* Found out once for each language: ICU takes a tenth of a millisecond, and every page asks. */
enum { KNOWN = 64 };
static struct known {
    struct str id;
    struct locale_dates dates;
} known[KNOWN];
static unsigned known_count;
static struct arena known_arena;
static pthread_mutex_t known_lock = PTHREAD_MUTEX_INITIALIZER;

static const struct known *find_known(const char *id)
{
    for (unsigned i = 0; i < known_count; i++) {
        if (str_eq(known[i].id, str_of(id)))
            return &known[i];
    }
    if (known_count == KNOWN)
        return NULL;
    struct known *k = &known[known_count++];
    k->id = arena_str(&known_arena, str_of(id));
    find_dates(id, &known_arena, &k->dates);
    return k;
}

void locale_dates(struct str language, struct arena *a, struct locale_dates *ret_dates)
{
    char id[2 * ULOC_FULLNAME_CAPACITY];
    begin();
    locale_of(language, "@calendar=gregorian;numbers=latn", a, id, sizeof id);
    must(pthread_mutex_lock(&known_lock) == 0);
    const struct known *k = find_known(id); /* stays as it is once it is there */
    must(pthread_mutex_unlock(&known_lock) == 0);
    if (k != NULL)
        *ret_dates = k->dates;
    else
        find_dates(id, a, ret_dates);
}
