/* Names of countries, for people: the European Economic Area, what an adequacy decision was made
 * about, and where many recipients are. Of others the code stands alone. */
#include "audit/receipt_words.h"

static const struct {
    char code[3];
    const char *in[TONGUES];
} countries[] = {
    { "AD", { "Andorra", "Andorra", "Andorra" } },
    { "AR", { "Argentina", "Argentinien", "Argentinië" } },
    { "AT", { "Austria", "Österreich", "Oostenrijk" } },
    { "AU", { "Australia", "Australien", "Australië" } },
    { "BE", { "Belgium", "Belgien", "België" } },
    { "BG", { "Bulgaria", "Bulgarien", "Bulgarije" } },
    { "BR", { "Brazil", "Brasilien", "Brazilië" } },
    { "CA", { "Canada", "Kanada", "Canada" } },
    { "CH", { "Switzerland", "Schweiz", "Zwitserland" } },
    { "CN", { "China", "China", "China" } },
    { "CY", { "Cyprus", "Zypern", "Cyprus" } },
    { "CZ", { "Czechia", "Tschechien", "Tsjechië" } },
    { "DE", { "Germany", "Deutschland", "Duitsland" } },
    { "DK", { "Denmark", "Dänemark", "Denemarken" } },
    { "EE", { "Estonia", "Estland", "Estland" } },
    { "ES", { "Spain", "Spanien", "Spanje" } },
    { "FI", { "Finland", "Finnland", "Finland" } },
    { "FO", { "Faroe Islands", "Färöer", "Faeröer" } },
    { "FR", { "France", "Frankreich", "Frankrijk" } },
    { "GB", { "United Kingdom", "Vereinigtes Königreich", "Verenigd Koninkrijk" } },
    { "GG", { "Guernsey", "Guernsey", "Guernsey" } },
    { "GR", { "Greece", "Griechenland", "Griekenland" } },
    { "HK", { "Hong Kong", "Hongkong", "Hongkong" } },
    { "HR", { "Croatia", "Kroatien", "Kroatië" } },
    { "HU", { "Hungary", "Ungarn", "Hongarije" } },
    { "IE", { "Ireland", "Irland", "Ierland" } },
    { "IL", { "Israel", "Israel", "Israël" } },
    { "IM", { "Isle of Man", "Isle of Man", "Man" } },
    { "IN", { "India", "Indien", "India" } },
    { "IS", { "Iceland", "Island", "IJsland" } },
    { "IT", { "Italy", "Italien", "Italië" } },
    { "JE", { "Jersey", "Jersey", "Jersey" } },
    { "JP", { "Japan", "Japan", "Japan" } },
    { "KR", { "South Korea", "Südkorea", "Zuid-Korea" } },
    { "LI", { "Liechtenstein", "Liechtenstein", "Liechtenstein" } },
    { "LT", { "Lithuania", "Litauen", "Litouwen" } },
    { "LU", { "Luxembourg", "Luxemburg", "Luxemburg" } },
    { "LV", { "Latvia", "Lettland", "Letland" } },
    { "MT", { "Malta", "Malta", "Malta" } },
    { "MX", { "Mexico", "Mexiko", "Mexico" } },
    { "NL", { "Netherlands", "Niederlande", "Nederland" } },
    { "NO", { "Norway", "Norwegen", "Noorwegen" } },
    { "NZ", { "New Zealand", "Neuseeland", "Nieuw-Zeeland" } },
    { "PL", { "Poland", "Polen", "Polen" } },
    { "PT", { "Portugal", "Portugal", "Portugal" } },
    { "RO", { "Romania", "Rumänien", "Roemenië" } },
    { "SE", { "Sweden", "Schweden", "Zweden" } },
    { "SG", { "Singapore", "Singapur", "Singapore" } },
    { "SI", { "Slovenia", "Slowenien", "Slovenië" } },
    { "SK", { "Slovakia", "Slowakei", "Slowakije" } },
    { "TR", { "Türkiye", "Türkei", "Turkije" } },
    { "UA", { "Ukraine", "Ukraine", "Oekraïne" } },
    { "US", { "United States", "Vereinigte Staaten", "Verenigde Staten" } },
    { "UY", { "Uruguay", "Uruguay", "Uruguay" } },
    { "ZA", { "South Africa", "Südafrika", "Zuid-Afrika" } },
};

struct str word_country(enum tongue t, struct str code, struct arena *a)
{
    for (size_t i = 0; i < COUNT(countries); i++) {
        if (str_eq(str_of(countries[i].code), code))
            return arena_printf(a, "%s (%.*s)", countries[i].in[t], STR_ARG(code));
    }
    return code;
}
