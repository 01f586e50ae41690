/* audit/receipt.h - a consent receipt: what a person keeps of what she said.
 *
 * Which purposes, in the words of the text that she was shown, who receives what, by which act, on what
 * evidence, since when and until when, how to withdraw; with ids and checksums, by which it can be
 * matched with the chain. It judges nothing; whether it holds now is what the gate says.
 *
 * Names of fields: those of ISO/IEC TS 27560:2023 as public sources give them. Not the standard's own
 * text was read but the guide "Consent Records and Receipts as per ISO/IEC TS 27560:2023 using DPV" (W3C
 * Data Privacy Vocabularies and Controls Community Group, 2024-08-01), which names them with their clauses:
 *
 *   6.3.3   schema_version, record_id, pii_principal_id
 *   6.4.5   schema_version, receipt_id
 *   6.3.4   privacy_notice, language, purposes, purpose, lawful_basis, pii_information, pii_controllers,
 *           processing_method, storage_locations, retention_period, processing_locations, jurisdiction,
 *           recipient_third_parties, withdrawal_method, privacy_rights
 *   6.3.5   pii_type
 *   6.3.6   party_id, party_name, party_address, party_contact, party_role
 *   6.3.7   event_time, validity_duration, entity_id, event_type, event_state
 *
 * DPV 2: the values of event_state (ConsentGiven, ConsentRefused, ConsentWithdrawn, ConsentExpired,
 * ConsentInvalidated, ConsentUnknown) and event_type (ExpressedConsent). Kantara Consent Receipt
 * Specification 1.1.0: collection_method (there: how the consent was obtained), addressCountry.
 * All other names are licet's, as in docs/api.md; docs/receipt.schema.json says it of each.
 *
 * Not as there: pii_controllers, language and jurisdiction stand once, since an installation has one
 * controller; parties stand where they are spoken of instead of being referred to.
 *
 * Owner:  results live in the arena passed in.
 * Thread: any, with a reader of its own.
 * Limit:  RECEIPT_MAX bytes.
 */
#ifndef AUDIT_RECEIPT_H
#define AUDIT_RECEIPT_H

#include "policy/policy.h"
#include "store/store.h"

enum { RECEIPT_MAX = 8 << 20 };

struct receipt_question {
    const struct policy *policy;
    struct str language; /* as asked: "de", "pt-BR"; empty: none in particular */
    bool named;          /* with her name and address, as far as they are known */
    int64_t now_ms;
};

/* Of one act: what was said in it, with its proofs, and what became of it since. ERR_NOT_FOUND: there
 * is none with this id, or it was erased. */
enum err receipt_of_act(struct store_reader *r, const struct receipt_question *q, struct str act_id,
                        struct arena *a, struct str *ret_json) MUST_CHECK;

/* Of all that she said last, purpose by purpose. ERR_NOT_FOUND: nothing is known of her. */
enum err receipt_of_subject(struct store_reader *r, const struct receipt_question *q,
                            struct str subject, struct arena *a, struct str *ret_json) MUST_CHECK;

/* The same document for people, in English, German or Dutch as it says itself: a whole page of HTML,
 * or plain text. Strangers' words are text in either. False when it is no receipt, or too long. */
bool receipt_page(struct str json, struct arena *a, struct buf *to) MUST_CHECK;
bool receipt_text(struct str json, struct arena *a, struct buf *to) MUST_CHECK;

/* A page that says, in that language, that there is nothing to show. */
void receipt_nothing(struct str language, struct arena *a, struct buf *to);

/* The Content-Security-Policy under which these pages are whole. */
struct str receipt_page_policy(struct arena *a);

/* Of "de-AT,de;q=0.9,en;q=0.8" (Accept-Language) the first that licet has words in; else empty. */
struct str receipt_language(struct str accepted);

#endif
