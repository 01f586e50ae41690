/* One message of Segment's as one event of Google's: docs/ga4.md has the tables. */
#include "deliver/destinations/ga4_priv.h"

#include "codec/time.h"

enum items { NO_ITEMS, ONE_ITEM, PRODUCTS, PROMOTION };

struct renamed {
    const char *from, *to; /* a property, a parameter */
};

/* Segment's names for what shops do, and Google's. */
static const struct kind {
    const char *event, *name;
    enum items items;
    struct renamed param[4];
} kinds[] = {
    { "Cart Viewed", "view_cart", PRODUCTS, { { 0 } } },
    { "Checkout Started", "begin_checkout", PRODUCTS, { { 0 } } },
    { "Order Completed",
      "purchase",
      PRODUCTS,
      { { "order_id", "transaction_id" }, { "total", "value" }, { "revenue", "value" } } },
    { "Order Refunded",
      "refund",
      PRODUCTS,
      { { "order_id", "transaction_id" }, { "total", "value" }, { "revenue", "value" } } },
    { "Payment Info Entered",
      "add_payment_info",
      PRODUCTS,
      { { "payment_method", "payment_type" } } },
    { "Product Added", "add_to_cart", ONE_ITEM, { { 0 } } },
    { "Product Added to Wishlist", "add_to_wishlist", ONE_ITEM, { { 0 } } },
    { "Product Clicked", "select_item", ONE_ITEM, { { 0 } } },
    { "Product List Viewed",
      "view_item_list",
      PRODUCTS,
      { { "list_id", "item_list_id" }, { "category", "item_list_name" } } },
    { "Product Removed", "remove_from_cart", ONE_ITEM, { { 0 } } },
    { "Product Viewed", "view_item", ONE_ITEM, { { 0 } } },
    { "Products Searched", "search", NO_ITEMS, { { "query", "search_term" } } },
    { "Promotion Clicked",
      "select_promotion",
      PROMOTION,
      { { "creative", "creative_slot" },
        { "position", "location_id" },
        { "name", "promotion_name" } } },
    { "Promotion Viewed",
      "view_promotion",
      PROMOTION,
      { { "creative", "creative_slot" },
        { "position", "location_id" },
        { "name", "promotion_name" } } },
    { "Signed In", "login", NO_ITEMS, { { 0 } } },
    { "Signed Up", "sign_up", NO_ITEMS, { { "type", "method" } } },
};

/* A product's members; the others keep their names. */
static const struct renamed item_names[] = {
    { "product_id", "item_id" },     { "name", "item_name" }, { "brand", "item_brand" },
    { "category", "item_category" }, { "position", "index" }, { "variant", "item_variant" },
};
/* Names that Google gives a meaning. */
static const struct {
    const char *name;
    enum ga4_type type;
    bool item; /* of an item, too */
} known[] = {
    { "affiliation", GA4_TEXT, true },     { "coupon", GA4_TEXT, true },
    { "creative_name", GA4_TEXT, true },   { "creative_slot", GA4_TEXT, true },
    { "currency", GA4_CURRENCY, true },    { "discount", GA4_NUMBER, true },
    { "index", GA4_NUMBER, true },         { "item_brand", GA4_TEXT, true },
    { "item_category", GA4_TEXT, true },   { "item_category2", GA4_TEXT, true },
    { "item_category3", GA4_TEXT, true },  { "item_category4", GA4_TEXT, true },
    { "item_category5", GA4_TEXT, true },  { "item_id", GA4_TEXT, true },
    { "item_list_id", GA4_TEXT, true },    { "item_list_name", GA4_TEXT, true },
    { "item_name", GA4_TEXT, true },       { "item_variant", GA4_TEXT, true },
    { "location_id", GA4_TEXT, true },     { "method", GA4_TEXT, false },
    { "payment_type", GA4_TEXT, false },   { "price", GA4_NUMBER, true },
    { "promotion_id", GA4_TEXT, true },    { "promotion_name", GA4_TEXT, true },
    { "quantity", GA4_NUMBER, true },      { "search_term", GA4_TEXT, false },
    { "shipping", GA4_NUMBER, false },     { "tax", GA4_NUMBER, false },
    { "transaction_id", GA4_TEXT, false }, { "value", GA4_NUMBER, false },
};

static enum ga4_type type_of(struct str name, bool item, bool *ret_known)
{
    for (size_t i = 0; i < COUNT(known); i++) {
        if (str_eq(name, str_of(known[i].name)) && (known[i].item || !item)) {
            *ret_known = true;
            return known[i].type;
        }
    }
    *ret_known = false;
    return GA4_ANY;
}

/* ---- members of an object that is being written ---- */

struct members {
    struct ga4_fitting *f;
    struct buf *to;
    size_t opened; /* where the first one stands */
    struct str written[GA4_PARAMS > 64 ? GA4_PARAMS : 64];
    uint32_t count;
};

static bool is_written(const struct members *m, struct str name)
{
    for (uint32_t i = 0; i < m->count; i++) {
        if (str_eq(m->written[i], name))
            return true;
    }
    return false;
}

/* Begins a member; what is written behind it counts once count_member() was called. */
static size_t begin_member(struct members *m, struct str name)
{
    size_t before = m->to->n;
    buf_str(m->to, before == m->opened ? STR("") : STR(","));
    json_write_string(m->to, name);
    buf_byte(m->to, ':');
    return before;
}

static bool count_member(struct members *m, struct str name, bool ok, size_t before)
{
    if (ok)
        m->written[m->count++] = name;
    else
        m->to->n = before;
    return ok;
}

/* One value under a name that is Google's already. */
static enum ga4_note put(struct members *m, struct str name, uint32_t value, enum ga4_type type,
                         uint32_t most)
{
    bool changed = false;
    size_t before = begin_member(m, name);
    bool ok = ga4_value(m->f, value, type, most, m->to, &changed);
    if (!count_member(m, name, ok, before))
        return GA4_OMITTED;
    return changed ? GA4_CUT : GA4_TAKEN;
}

static bool is_nothing(const struct json_doc *d, uint32_t value)
{
    return json_type(d, value) <= JSON_NULL ||
           (json_type(d, value) == JSON_STRING && d->node[value].len == 2);
}

/* One value under a name of the page's own choice. */
static enum ga4_note put_custom(struct members *m, struct str given, uint32_t value, bool item,
                                uint32_t most_members)
{
    bool is_known;
    struct str name = ga4_cut(ga4_name(given, m->f->a), GA4_NAME);
    bool letter = name.n > 0 && (name.p[0] | 0x20) >= 'a' && (name.p[0] | 0x20) <= 'z';
    if (!letter || ga4_reserved_param(name) || str_eq(name, STR("items")) || is_written(m, name) ||
        m->count >= most_members)
        return GA4_OMITTED;
    enum ga4_note note = put(m, name, value, type_of(name, item, &is_known), GA4_VALUE);
    return note == GA4_TAKEN && !str_eq(name, given) ? GA4_CUT : note;
}

/* ---- items ---- */

static const char *item_name(struct str key)
{
    for (size_t i = 0; i < COUNT(item_names); i++) {
        if (str_eq(key, str_of(item_names[i].from)))
            return item_names[i].to;
    }
    return NULL;
}

/* Google's own name for a member of a product, or empty. */
static struct str item_member(struct str key)
{
    bool is_known;
    const char *name = item_name(key);
    if (name != NULL)
        return str_of(name);
    (void)type_of(key, true, &is_known);
    return is_known ? key : (struct str){ 0 };
}

enum { ITEM_MEMBERS = 32 + GA4_ITEM_CUSTOM };
_Static_assert(COUNT(known) <= 32 && ITEM_MEMBERS <= 64,
               "an item has room for all that it may have");

/* Of the properties of an event about one product, those that are the product's. */
static bool is_products(struct str key, enum items items)
{
    static const char *const promotions[] = { "name",          "position",      "creative",
                                              "creative_name", "creative_slot", "location_id",
                                              "promotion_id",  "promotion_name" };
    for (size_t i = 0; items == PROMOTION && i < COUNT(promotions); i++) {
        if (str_eq(key, str_of(promotions[i])))
            return false;
    }
    return item_member(key).n > 0 && !str_eq(key, STR("currency"));
}

/* One item from a product, or from the properties of an event about one. False and nothing written when it names no product. */
static bool put_item(struct ga4_fitting *f, struct str above, uint32_t product, enum items items,
                     struct buf *to)
{
    struct members m = { .f = f, .to = to };
    size_t start = to->n;
    uint32_t custom = 0;
    buf_byte(to, '{');
    m.opened = to->n;
    for (uint32_t k = json_first(f->doc, product); k; k = json_next(f->doc, product, k + 1)) {
        struct str key;
        bool is_known;
        must(json_string(f->doc, k, f->a, &key));
        struct str name = item_member(key);
        if (is_nothing(f->doc, k + 1) || (items != PRODUCTS && !is_products(key, items)))
            continue;
        enum ga4_note note = GA4_OMITTED;
        if (name.n > 0 && !is_written(&m, name))
            note = put(&m, name, k + 1, type_of(name, true, &is_known), GA4_VALUE);
        else if (name.n == 0 && custom < GA4_ITEM_CUSTOM)
            note = put_custom(&m, key, k + 1, true, ITEM_MEMBERS);
        custom += name.n == 0 && note != GA4_OMITTED;
        ga4_note(f, above, key, note);
    }
    buf_byte(to, '}');
    bool names = is_written(&m, STR("item_id")) || is_written(&m, STR("item_name"));
    if (!names)
        to->n = start;
    return names;
}

static bool put_products(struct ga4_fitting *f, struct str name, uint32_t products, struct buf *to)
{
    uint32_t count = 0;
    for (uint32_t v = json_first(f->doc, products); v; v = json_next(f->doc, products, v)) {
        if (json_type(f->doc, v) != JSON_OBJECT || count == GA4_ITEMS) {
            ga4_note(f, STR(""), name, GA4_OMITTED);
            continue;
        }
        size_t before = to->n;
        buf_str(to, count ? STR(",") : STR(""));
        if (put_item(f, name, v, PRODUCTS, to))
            count++;
        else {
            to->n = before;
            ga4_note(f, STR(""), name, GA4_OMITTED);
        }
    }
    return count > 0;
}

/* ---- parameters ---- */

struct params {
    struct members m;
    uint32_t properties; /* their object, or 0 */
    uint32_t used[64];   /* keys of these that have their place */
    uint32_t used_count;
};

static uint32_t property(const struct params *p, const char *name)
{
    return json_get(p->m.f->doc, p->properties, str_of(name));
}

static void use(struct params *p, uint32_t value)
{
    if (p->used_count < COUNT(p->used))
        p->used[p->used_count++] = value;
}

static bool is_used(const struct params *p, uint32_t value)
{
    for (uint32_t i = 0; i < p->used_count; i++) {
        if (p->used[i] == value)
            return true;
    }
    return false;
}

/* A property under Google's name; what cannot go there goes nowhere. */
static void put_property(struct params *p, const char *from, const char *to, enum ga4_type type)
{
    uint32_t value = property(p, from);
    if (is_nothing(p->m.f->doc, value) || is_used(p, value) || is_written(&p->m, str_of(to)))
        return;
    use(p, value);
    ga4_note(p->m.f, STR("properties"), str_of(from),
             put(&p->m, str_of(to), value, type, GA4_VALUE));
}

static void put_page(struct params *p, bool is_page)
{
    static const struct {
        const char *param, *context, *property;
        uint32_t most;
    } rows[] = {
        { "page_location", "context.page.url", "url", GA4_PAGE_LOCATION },
        { "page_referrer", "context.page.referrer", "referrer", GA4_PAGE_REFERRER },
        { "page_title", "context.page.title", "title", GA4_PAGE_TITLE },
        { "language", "context.locale", NULL, GA4_VALUE },
    };
    struct ga4_fitting *f = p->m.f;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t value = json_find(f->doc, JSON_ROOT, str_of(rows[i].context));
        uint32_t own = is_page && rows[i].property ? property(p, rows[i].property) : 0;
        if (own != 0)
            use(p, own);
        bool from_own = is_nothing(f->doc, value);
        if (from_own)
            value = own;
        if (is_nothing(f->doc, value))
            continue;
        enum ga4_note note = put(&p->m, str_of(rows[i].param), value, GA4_TEXT, rows[i].most);
        ga4_note(f, from_own ? STR("properties") : STR(""),
                 str_of(from_own ? rows[i].property : rows[i].context), note);
    }
}

static bool put_session_id(struct params *p, struct str above, struct str key, uint32_t value)
{
    struct str text, id;
    struct ga4_fitting *f = p->m.f;
    if (!json_text(f->doc, value, f->a, &text) || text.n == 0)
        return false;
    id = ga4_session_id(text, f->a);
    if (id.n == 0) {
        ga4_note(f, above, key, GA4_OMITTED);
        return false;
    }
    struct str name = STR("session_id");
    size_t before = begin_member(&p->m, name);
    json_write_string(p->m.to, id);
    (void)count_member(&p->m, name, true, before);
    ga4_note(f, above, key, GA4_TAKEN);
    return true;
}

/* They keep a visit whole. Those among the properties are the device's all the same. */
static void put_session(struct params *p, bool device_fields)
{
    static const char *const given[] = {
        "ids.ga4.session_id",
        "integrations.Google Analytics 4.sessionId",
        "integrations.Google Analytics 4 Web.sessionId",
        "integrations.Google Analytics 4 Cloud.sessionId",
        "integrations.Actions Google Analytics 4.sessionId",
        "integrations.Actions Google Analytic 4.sessionId",
        "integrations.GA4.sessionId",
    };
    static const char *const own[] = { "session_id", "sessionId", "ga_session_id" };
    static const char *const not_a_param[] = { "session_id",     "sessionId", "ga_session_id",
                                               "session_number", "client_id", "clientId" };
    struct ga4_fitting *f = p->m.f;
    bool done = false;
    for (size_t i = 0; i < COUNT(given) && !done; i++)
        done = put_session_id(p, STR(""), str_of(given[i]),
                              json_find(f->doc, JSON_ROOT, str_of(given[i])));
    for (size_t i = 0; i < COUNT(own) && !done && device_fields; i++)
        done = put_session_id(p, STR("properties"), str_of(own[i]), property(p, own[i]));
    if (!done)
        (void)put_session_id(p, STR(""), STR("context.sessionId"),
                             json_find(f->doc, JSON_ROOT, STR("context.sessionId")));
    if (device_fields)
        put_property(p, "session_number", "session_number", GA4_NUMBER);
    for (size_t i = 0; i < COUNT(not_a_param); i++) {
        if (property(p, not_a_param[i]) != 0)
            use(p, property(p, not_a_param[i]));
    }
}

static bool is_positive(struct str number)
{
    bool any = false;
    for (size_t i = 0; i < number.n; i++)
        any |= number.p[i] >= '1' && number.p[i] <= '9';
    return any && number.p[0] != '-';
}

/* Google counts as active only who was engaged for some time. */
static void put_engagement(struct params *p)
{
    static const struct str name = STR_INIT("engagement_time_msec");
    uint32_t said = property(p, name.p);
    struct str text = { 0 };
    if (json_text(p->m.f->doc, said, p->m.f->a, &text) && is_positive(text))
        put_property(p, name.p, name.p, GA4_NUMBER);
    if (said != 0)
        use(p, said);
    if (is_written(&p->m, name))
        return;
    size_t before = begin_member(&p->m, name);
    buf_byte(p->m.to, '1');
    (void)count_member(&p->m, name, true, before);
}

static bool is_list(const struct json_doc *d, uint32_t value)
{
    return json_type(d, value) == JSON_ARRAY && d->node[value].count > 0;
}

static void put_items(struct params *p, enum items items)
{
    static const struct str name = STR_INIT("items");
    struct ga4_fitting *f = p->m.f;
    struct str from = items == PRODUCTS ? STR("products") : name;
    if (!is_list(f->doc, json_get(f->doc, p->properties, from)))
        from = name; /* as Google's own tag has them */
    uint32_t products = json_get(f->doc, p->properties, from);
    bool many = is_list(f->doc, products);
    bool one = items == ONE_ITEM || (items == PROMOTION && property(p, "product_id") != 0);
    if (!many && !one)
        return;
    size_t before = begin_member(&p->m, name);
    buf_byte(p->m.to, '[');
    struct str above = arena_printf(f->a, "properties.%.*s", STR_ARG(from));
    bool any = many ? put_products(f, above, products, p->m.to)
                    : put_item(f, STR("properties"), p->properties, items, p->m.to);
    buf_byte(p->m.to, ']');
    if (!count_member(&p->m, name, any, before))
        return;
    if (many)
        use(p, products);
    for (uint32_t k = json_first(f->doc, p->properties); !many && k;
         k = json_next(f->doc, p->properties, k + 1)) {
        struct str key;
        must(json_string(f->doc, k, f->a, &key));
        if (is_products(key, items))
            use(p, k + 1);
    }
}

/* What is left of the properties, in their order. */
static void put_rest(struct params *p)
{
    struct ga4_fitting *f = p->m.f;
    for (uint32_t k = json_first(f->doc, p->properties); k;
         k = json_next(f->doc, p->properties, k + 1)) {
        struct str key;
        if (is_used(p, k + 1) || is_nothing(f->doc, k + 1))
            continue;
        must(json_string(f->doc, k, f->a, &key));
        ga4_note(f, STR("properties"), key, put_custom(&p->m, key, k + 1, false, GA4_PARAMS));
    }
}

static void write_params(struct ga4_fitting *f, const struct kind *kind, bool is_page,
                         bool device_fields, struct buf *to)
{
    struct params p = { .m = { .f = f, .to = to, .opened = to->n } };
    uint32_t properties = json_get(f->doc, JSON_ROOT, STR("properties"));
    if (json_type(f->doc, properties) == JSON_OBJECT)
        p.properties = properties;
    put_session(&p, device_fields);
    put_engagement(&p);
    put_page(&p, is_page);
    bool is_known;
    for (size_t i = 0; kind != NULL && i < COUNT(kind->param) && kind->param[i].from; i++)
        put_property(&p, kind->param[i].from, kind->param[i].to,
                     type_of(str_of(kind->param[i].to), false, &is_known));
    put_items(&p, kind != NULL ? kind->items : NO_ITEMS);
    put_rest(&p);
}

/* ---- the event ---- */

static const struct kind *kind_of(struct str event)
{
    for (size_t i = 0; i < COUNT(kinds); i++) {
        if (str_eq(event, str_of(kinds[i].event)))
            return &kinds[i];
    }
    return NULL;
}

/* The event's name, its kind when it is one of Segment's, and whether it is a page. */
static bool find_name(struct ga4_fitting *f, struct str *ret_name, const struct kind **ret_kind,
                      bool *ret_page)
{
    struct str type = { 0 }, event = { 0 };
    bool has_type = json_string(f->doc, json_get(f->doc, JSON_ROOT, STR("type")), f->a, &type);
    bool has_event = json_string(f->doc, json_get(f->doc, JSON_ROOT, STR("event")), f->a, &event);
    if (has_type)
        ga4_note(f, STR(""), STR("type"), GA4_TAKEN);
    *ret_kind = NULL;
    *ret_page = has_type && str_eq(type, STR("page"));
    if (*ret_page) {
        *ret_name = STR("page_view");
        return true;
    }
    if (!has_event || (has_type && !str_eq(type, STR("track"))))
        return false;
    *ret_kind = kind_of(event);
    struct str whole = ga4_event_name(event, f->a), name = ga4_cut(whole, GA4_NAME);
    bool cut = name.n < whole.n;
    if (*ret_kind != NULL)
        name = str_of((*ret_kind)->name);
    ga4_note(f, STR(""), STR("event"), cut && *ret_kind == NULL ? GA4_CUT : GA4_TAKEN);
    *ret_name = name;
    return name.n > 0 && !ga4_reserved_event(name);
}

/* When it happened: never after it came here, and not before Google takes it. */
static bool find_time(struct ga4_fitting *f, int64_t received_ms, int64_t at_ms, int64_t *ret_ms)
{
    struct str text;
    int64_t ms = received_ms, said;
    if (json_string(f->doc, json_get(f->doc, JSON_ROOT, STR("timestamp")), f->a, &text) &&
        time_parse(text, &said)) {
        ga4_note(f, STR(""), STR("timestamp"), GA4_TAKEN);
        ms = said < received_ms ? said : received_ms;
    }
    *ret_ms = ms;
    return at_ms - ms < GA4_BACK_MS;
}

enum reason ga4_event(struct ga4_fitting *f, bool device_fields, int64_t received_ms, int64_t at_ms,
                      struct buf *to)
{
    struct str name;
    const struct kind *kind;
    bool is_page;
    int64_t ms;
    if (!find_name(f, &name, &kind, &is_page))
        return REASON_UNSUITABLE;
    if (!find_time(f, received_ms, at_ms, &ms))
        return REASON_TOO_OLD;
    buf_lit(to, "{\"name\":");
    json_write_string(to, name);
    buf_lit(to, ",\"params\":{");
    write_params(f, kind, is_page, device_fields, to);
    buf_printf(to, "},\"timestamp_micros\":%lld}", (long long)ms * 1000);
    return REASON_PERMITTED;
}
