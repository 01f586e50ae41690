#include "conf/read_priv.h"

/* Words by which consents have failed, since nobody can tell from them what happens. In small letters. That none of
 * them is there does not make an aim clear. */
static const char *const vague[] = {
    "profiling",
    "profilbildung",
    "profilering",
    "sharper picture",
    "sch\u00e4rferes bild",
    "scherper beeld",
    "better experience",
    "best experience",
    "optimal experience",
    "improve your experience",
    "improve the experience",
    "user experience",
    "besseres erlebnis",
    "optimales erlebnis",
    "nutzererlebnis",
    "nutzererfahrung",
    "nutzungserlebnis",
    "betere ervaring",
    "beste ervaring",
    "optimale ervaring",
    "gebruikerservaring",
    "marketing purposes",
    "marketingzwecke",
    "marketingdoeleinden",
};

static bool starts_nocase(struct str s, struct str word)
{
    return s.n >= word.n && str_eq_nocase((struct str){ s.p, word.n }, word);
}

struct str vague_find(struct str aim)
{
    for (size_t i = 0; i < aim.n; i++) {
        for (size_t k = 0; k < COUNT(vague); k++) {
            struct str word = str_of(vague[k]);
            if (starts_nocase((struct str){ aim.p + i, aim.n - i }, word))
                return (struct str){ aim.p + i, word.n };
        }
    }
    return (struct str){ 0 };
}
